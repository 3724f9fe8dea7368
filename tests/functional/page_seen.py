"""An HTML page as a test looks at it: its controls, labels and texts. Fails for unbalanced tags."""

from html.parser import HTMLParser


class Page(HTMLParser):
    """What a page is made of, as a test looks at it."""

    VOID = frozenset({"input", "meta", "link", "br", "img", "hr"})

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.inputs: list[dict[str, str]] = []
        self.labels: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.fieldsets: list[bool] = []
        self.loose: list[str] = []
        self._open: list[tuple[str, list[str]]] = []
        self._all: list[str] = []

    @classmethod
    def of(cls, text: str) -> "Page":
        made = cls()
        made.feed(text)
        made.close()
        return made

    @property
    def flat(self) -> str:
        text = " ".join(" ".join(self._all).split())
        return text.replace(" ,", ",").replace(" .", ".").replace(" ;", ";")

    def text_of(self, tag: str) -> list[str]:
        return [text for name, text in self.texts if name == tag]

    def controls(self, kind: str) -> list[dict[str, str]]:
        return [one for one in self.inputs if one.get("type") == kind]

    def checked(self) -> list[dict[str, str]]:
        return [one for one in self.inputs if "checked" in one]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = {name: value or "" for name, value in attrs}
        self.tags.append((tag, named))
        if tag == "input":
            self.inputs.append(named)
            if named.get("type") == "radio" and not any(t == "fieldset" for t, _ in self._open):
                self.loose.append(named["name"])
        if tag == "label":
            self.labels.append(named.get("for", ""))
        if tag == "fieldset":
            self.fieldsets.append(False)
        if tag == "legend":
            self.fieldsets[-1] = True
        if tag not in self.VOID:
            self._open.append((tag, []))

    def handle_endtag(self, tag: str) -> None:
        name, parts = self._open.pop()
        assert name == tag, f"{tag} closes {name}"
        self.texts.append((tag, " ".join(" ".join(parts).split())))

    def handle_data(self, data: str) -> None:
        self._all.append(data)
        for _, parts in self._open:
            parts.append(data)
