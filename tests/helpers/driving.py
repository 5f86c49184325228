"""One tab of the app under test: what a person does in it, and what they read."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from explorer.core.text import JOINER
from explorer.ui.work.address import begin
from explorer.ui.work.jobs import JOBS

SCRIPT = Path(__file__).resolve().parents[2] / "app.py"
FACT = re.compile(r'<span class="what">([^<]*)</span><span class="value">([^<]*)</span>')
TERM = re.compile(r"</?dfn[^>]*>")
ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
SECONDS = 60


def read(markdown: str) -> str:
    """A sentence as a browser shows it: escapes, and what marks the terms, are not seen."""
    return ESCAPED.sub(r"\1", TERM.sub("", markdown)).replace(JOINER, "")


class App:
    """A tab, and the words on it."""

    def __init__(self, test: AppTest) -> None:
        self.test = test

    @classmethod
    def opened(cls, page: str = "", **query: str) -> App:
        """A new tab at an address; a run that it names has been begun here, though nothing may be done in it yet."""
        begin(query.get("run", ""))
        test = AppTest.from_file(SCRIPT, default_timeout=SECONDS)
        for name, value in query.items():
            test.query_params[name] = value
        return cls(test).go(page) if page else cls(test).again()

    def go(self, page: str) -> App:
        """Open a page by the hash of its path; AppTest has no public way to a page that is a function."""
        self.test._page_hash = calc_hash(page)
        return self.again()

    def again(self) -> App:
        """Run the script once more, as any interaction does."""
        self.test.run()
        return self

    def click(self, label: str) -> App:
        """Press the button whose label starts like this, and wait for the step that it may have begun."""
        found = [button for button in self.test.button if read(button.label).startswith(label)]
        min(found, key=lambda button: read(button.label) != label).click().run()
        if (step := JOBS.find(f"step-{self.run}")) and step.active:
            step.wait(SECONDS)
            self.test.run()
        return self

    def set(self, label: str, value: object) -> App:
        """Set the input of this label."""
        inputs = (*self.test.number_input, *self.test.selectbox, *self.test.multiselect, *self.test.toggle)
        inputs += (*self.test.text_input,)
        next(each for each in inputs if each.label == label).set_value(value).run()
        return self

    def type(self, label: str, value: str) -> App:
        """Type into the selectbox of this label what it does not offer."""
        self._offer(label, value).set(label, value)
        return self._offer(label, value)  # AppTest takes only what the page offers, also in what comes next

    def _offer(self, label: str, value: str) -> App:
        next(each for each in self.test.selectbox if each.label == label).options.append(value)
        return self

    def upload(self, name: str, content: bytes, label: str = "Checkpoint") -> App:
        """Give a file to the uploader whose label begins like this."""
        uploader = next(each for each in self.test.file_uploader if each.label.startswith(label))
        uploader.set_value((name, content, "application/octet-stream")).run()
        return self

    def images(self, where: object = "demo") -> App:
        """Say in a dialog where the images are, by a name."""
        return self.choose("Images", "name").set("Name, folder or file", str(where))

    def choose(self, label: str, option: str) -> App:
        """Press an option of the segmented control of this label."""
        next(each for each in self.test.button_group if each.label == label).set_value(option).run()
        return self

    def figure(self, key: str) -> dict[str, Any]:
        """The plotly figure of this key."""
        charts = (chart.proto for chart in self.test.get("plotly_chart"))
        return json.loads(next(chart.spec for chart in charts if chart.id.endswith(f"-{key}")))

    @property
    def run(self) -> str:
        """The run that the address names."""
        return self.test.query_params["run"]

    @property
    def buttons(self) -> dict[str, bool]:
        """Label -> whether it can be pressed."""
        return {read(button.label): not button.disabled for button in self.test.button}

    @property
    def facts(self) -> dict[str, str]:
        """The numbers of the state bar."""
        return dict(FACT.findall(self.bar))

    @property
    def bar(self) -> str:
        """The state bar, with tags."""
        return unescape(TERM.sub("", self.marked_bar))

    @property
    def marked_bar(self) -> str:
        """The state bar as the page has it, its terms marked."""
        return next(h.proto.body for h in self.test.get("html") if 'class="state-bar"' in h.proto.body)

    @property
    def understood(self) -> str:
        """What the boxes of a dialog show, without tags; what is left out of them is not there."""
        boxes = (h.proto.body for h in self.test.get("html") if "class='understood'" in h.proto.body)
        texts = (re.sub("<style>.*?</style>", "", box, flags=re.S) for box in boxes)
        return " ".join(unescape(" ".join(re.sub("(?:<[^>]*>)+", " ", text) for text in texts)).split())

    @property
    def said(self) -> str:
        """All errors, warnings and notes."""
        boxes = (*self.test.error, *self.test.warning, *self.test.info, *self.test.success)
        return "\n".join(read(box.value) for box in boxes)

    @property
    def text(self) -> str:
        """Headings, captions and paragraphs."""
        parts = (*self.test.subheader, *self.test.caption, *self.test.markdown)
        return "\n".join(read(str(part.value)) for part in parts)

    @property
    def charts(self) -> int:
        """How many pictures there are."""
        return len(self.test.get("plotly_chart"))

    def fine(self) -> App:
        """Itself, after making sure that nothing on the page has failed."""
        assert not self.test.exception, self.test.exception
        assert not self.test.error, self.said
        return self
