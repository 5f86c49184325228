"""The Streamlit script of a checkout: `streamlit run app.py`."""

from explorer.ui.main import main

main()
