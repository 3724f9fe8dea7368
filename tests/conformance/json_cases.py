"""Texts that are JSON, that are not, and that parsers may decide about; our own, made from tables.

The kinds are those of JSONTestSuite (https://github.com/nst/JSONTestSuite): must be accepted (y),
must be refused (n), left to the implementation (i). Which numbers are JSON is decided by the
grammar of RFC 8259, section 6.
"""

import re
from itertools import product


NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")

NUMBERS = [
    "".join(parts)
    for parts in product(
        ("", "-", "+", "--", "- "),
        ("0", "7", "42", "00", "012", "", "1 0"),
        ("", ".5", ".05", ".", "..5", ".5."),
        ("", "e1", "E+1", "e-1", "e", "E+", "e1.5", "e+-1", "ee1"),
    )
]
_WORDS = (
    "NaN -NaN nan Infinity +Infinity -Infinity Inf inf Nan 0x1 0x 0X1F 0b1 0o7 1n 1f 1L 1_000 1,5",
    "1/2 1+2 1e\u0661 \uff11 \uff11\uff12 \u00bd .e1 e1 E -. -e1 0.e1 1.2a-3 1ea 2.e3 1.0e 0e 0e+",
    "-foo -1x 0.3e+ 1.8H-308 nul null0 nulll Null NULL nil None undefined tru True TRUE truth fals",
    "False FALSE falsey yes * @ # $ % & ( ) ; < > ? ^ ` | ~ = ! \\ <null> a abc 'a' 'abc'",
    """\u201ca\u201d `a` u"a" b"a" r"a" \u200b \u2342 \u00e9""",
)
WORDS = [word for line in _WORDS for word in line.split(" ")]
STRINGS_N = [
    *(f'"{chr(code)}"' for code in range(0x20)),
    *(f'"\\{chr(code)}"' for code in range(0x20, 0x7F) if chr(code) not in '"\\/bfnrtu'),
    *('"\\"', '"', '"a', "\"'", '"\\u"', '"\\u0"', '"\\u00"', '"\\u00A"', '"\\u00G0"', '"\\u{41}"'),
    *('"\\U0041"', '"\\uD834\\u"', '"\\uD834\\u1"', '"\\uD834\\u12"', '"\\uD834\\uDD1"', '"a"b"'),
    *(
        '"\\u 041"',
        '"\\u+041"',
        '"\\u-041"',
        '"\\x41"',
        '"\\0"',
        '"\\101"',
        '"\\\n"',
        '"\\é"',
        '""x',
    ),
]
STRUCTURES_N = [
    *(
        "[",
        "]",
        "[1",
        "[1}",
        "[1,]",
        "[,1]",
        "[,]",
        "[1,,2]",
        "[1 2]",
        '["a" 1]',
        '["a""b"]',
        "[a]",
    ),
    *("[1;2]", "[1:2]", "[[1]", "[1]]", "[1],", "[[],", '["', '["a', '["a"', '["a",', "[-]", "[/]"),
    *("{", "}", "{]", '{"a"', '{"a":', '{"a":1', '{"a"}', '{"a":}', '{"a":1,}', "{:1}", '{"a" 1}'),
    *(
        '{"a":1 "b":2}',
        '{"a":1,,"b":2}',
        "{,}",
        '{,"a":1}',
        "{a:1}",
        "{'a':1}",
        "{1:1}",
        "{null:1}",
    ),
    *(
        '{"a"::1}',
        "{[1]:1}",
        '{"a":1}}',
        '{"a":1:2}',
        '{"a","b"}',
        '{"a":1]',
        '{"a"=1}',
        '{"a"=>1}',
    ),
    *('{"a":b}', '{"a":1;"b":2}', "{true:1}", '{{"a":1}}', '{"a":[1}', '{"a":{"b":1]}', "{1,2}"),
    *(
        "1//a",
        "1/**/",
        "/**/1",
        "[1/*a*/]",
        '{"a":1}//',
        '{"a":/*1*/1}',
        "1#a",
        "[1#\n]",
        "--1",
        "1;",
    ),
    *("\f1", "\v1", "\u00a01", "\ufeff1", "\u20601", "\u30001", "\u20281", "1\x00", "\x001", ""),
]
STRINGS_Y = [
    *(f'"\\{one}"' for one in '"\\/bfnrt'),
    *('""', '" "', '"\\u0000"', '"\\u0041"', '"\\u000a"', '"\\u005C"', '"\\u0022"', '"\\uFFFF"'),
    *(
        '"\\uD834\\uDD1E"',
        '"\\uDBFF\\uDFFF"',
        '"\\ud83d\\ude39"',
        '"\\\\u0041"',
        '"a/*b*/c"',
        '"[{"',
    ),
    *(
        '"\x7f"',
        '"\u2028\u2029"',
        '"\ufeff"',
        '"\uffff"',
        '"\U0010ffff"',
        '"€𝄞"',
        '"\u0300"',
        '"//"',
    ),
    '"' + "a" * 100_000 + '"',
]
STRUCTURES_Y = [
    *("[]", "{}", "[[]]", "[{}]", '{"a":{}}', "null", "true", "false", '{"":0}', '[null,1,"2",{}]'),
    *(" [ ] ", "\t[\n1\r,\t2 ] ", '{ "a" : 1 , "b" : [ ] }', '{"\\u0000":1}', '{"a":[],"A":[]}'),
    *(
        '{"x":"{"}',
        '["]"]',
        "[" * 40 + "]" * 40,
        '{"a":' * 40 + "1" + "}" * 40,
        "[" + "0," * 9999 + "0]",
    ),
]
IMPLEMENTATION = [
    *(
        '"\\uD800"',
        '"\\uDC00"',
        '"\\uD800\\uD800"',
        '"\\uDC00\\uD800"',
        '"\\uD800a"',
        '"\\uD800\\n"',
    ),
    *('{"a":1,"a":1}', '{"a":1,"a":2}', '{"a":1,"\\u0061":2}', '{"\\uD800":1}', "1E400", "-1E400"),
    *(
        "1e-99999",
        "1" + "0" * 400,
        "-" + "9" * 5000,
        "0." + "1" * 5000,
        "1e" + "9" * 400,
        "-0",
        "-0.0",
    ),
    *("9223372036854775808", "-9223372036854775809", "18446744073709551616", "0.1e1000000000000"),
    *("[" * 500 + "]" * 500, '[{"":' * 500 + "0" + "}]" * 500),
]
# Bytes that are not UTF-8 are not JSON (RFC 8259, 8.1).
BYTES_N = [
    b'"' + made + b'"'
    for made in (
        *(b"\x80", b"\xbf", b"\xff", b"\xfe", b"\xc0\x80", b"\xc1\xbf", b"\xe0\x80\x80", b"\xe9"),
        *(b"\xed\xa0\x80", b"\xed\xbf\xbf", b"\xf0\x80\x80\x80", b"\xf4\x90\x80\x80", b"\xf5\x80"),
        *(
            b"\xc3",
            b"\xe2\x82",
            b"\xf0\x9f\x98",
            b"\xe2\x28\xa1",
            b"\xfc\x83\xbf\xbf\xbf\xbf",
            b"\xc3(",
        ),
    )
]
DOCUMENTS_N = [
    *(
        b"",
        b" ",
        b"\n",
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"\x1a",
    ),
    *(
        b"{}{}",
        b"{} {}",
        b"{}x",
        b"{},",
        b"[][]",
        b"//\n{}",
        b"{}//",
        b"/**/{}",
        b"#!{}",
        b"{}\x00",
    ),
    *(
        b"null",
        b"true",
        b"0",
        b"-1.5e3",
        b'""',
        b'"{}"',
        b"[]",
        b"[{}]",
        b"{}",
        b'{"hook":"order-sign"}',
    ),
    *(
        b"<html></html>",
        b"a=1&b=2",
        b"---\na: 1\n",
        b"\x80\x04}.",
        b"\x1f\x8b\x08",
        b"%7B%7D",
        b"PK\x03\x04",
    ),
    *(
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"]" * 1000,
        b'[{"":' * 50_000,
        b'"' * 1001,
        b"\\" * 1000,
    ),
]
DOCUMENTS_Y = [" {0}", "\n\r\t {0}\r\n", "{0}\n", "{0} \t "]
