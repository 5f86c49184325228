"""The Streamlit script of a checkout: `streamlit run app.py`."""

from explorer.ui.frame.main import main

main()
