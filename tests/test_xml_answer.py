"""XML bytes to parts: what is refused before the parser sees it, and what the parser must then not let through."""
import os
import select
import socket
import sys
import time
from pathlib import Path

import pytest

from alipay_mapi import xml_answer
from alipay_mapi.errors import (AlipayError, BodyTooLarge, CharsetError, DuplicateParameter, NotXML, UnexpectedRoot,
                                XMLForbidden, XMLLimit, XMLMalformed)
from alipay_mapi.response import parse_response
from answers import ASKED, TRADE, answer, md5_shop

FILES = Path(__file__).resolve().parent.parent / "fixtures" / "xml" / "attacks"
PROLOG = '<?xml version="1.0" encoding="utf-8"?>\n'
PLAIN = answer(prolog="").decode("utf-8")
VALUE = "<trade_status>TRADE_FINISHED</trade_status>"


def doctype(inside, reference=""):
    """A whole answer behind a DOCTYPE."""
    return (PROLOG + "<!DOCTYPE alipay " + inside + ">" + in_value(reference)).encode("utf-8")


def in_value(raw):
    """A whole answer with ``raw`` inside the value of trade_status."""
    return PLAIN.replace(VALUE, "<trade_status>TRADE_FINISHED{}_NOT</trade_status>".format(raw))


def many(count, form):
    return " ".join(form.format(number) for number in range(count))


#: The inputs that lxml, expat or defusedxml were seen to let through or to choke on; see also FILES.
ATTACKS = {
    "small_internal_entity": (doctype('[<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;">]', "&b;"), XMLForbidden),
    "unused_internal_entity": (doctype('[<!ENTITY a "lol">]'), XMLForbidden),
    "entity_in_attribute": (doctype('[<!ENTITY a "{}">]'.format("x" * 9000)).replace(
        b'name="service"', b'name="' + b"&a;" * 9000 + b'"'), XMLForbidden),
    "external_entity_file": (doctype('[<!ENTITY e SYSTEM "file:///etc/hostname">]', "&e;"), XMLForbidden),
    "external_entity_http": (doctype('[<!ENTITY e SYSTEM "http://127.0.0.1:9/">]', "&e;"), XMLForbidden),
    "external_parameter_entity": (doctype('[<!ENTITY % p SYSTEM "http://127.0.0.1:9/"> %p;]'), XMLForbidden),
    "internal_parameter_entity": (doctype("[<!ENTITY % p '<!ENTITY e \"x\">'> %p;]", "&e;"), XMLForbidden),
    "bare_doctype": (doctype(""), XMLForbidden),
    "public_doctype": (doctype('PUBLIC "-//A//B//EN" "http://127.0.0.1:9/"'), XMLForbidden),
    "doctype_without_prolog": (b"<!DOCTYPE alipay>" + PLAIN.encode("ascii"), XMLForbidden),
    "doctype_in_small_letters": (b"<!doctype alipay>" + PLAIN.encode("ascii"), XMLForbidden),
    "utf16_little_endian": (b"\xff\xfe" + doctype("").decode("ascii").encode("utf-16-le"), XMLForbidden),
    "utf16_big_endian": (b"\xfe\xff" + doctype("").decode("ascii").encode("utf-16-be"), XMLForbidden),
    "utf16_without_mark": (doctype("").decode("ascii").encode("utf-16-le"), XMLForbidden),
    "utf32": (doctype("").decode("ascii").encode("utf-32-be"), XMLForbidden),
    "utf7": (b'<?xml version="1.0" encoding="utf-7"?>+ADwAIQ-DOCTYPE alipay+AD4-' + PLAIN.encode("ascii"),
             CharsetError),
    "undeclared_entity": (in_value("&e;").encode("utf-8"), XMLForbidden),
    "entity_left_open": (in_value("&amp").encode("utf-8"), XMLForbidden),
    "character_beyond_unicode": (in_value("&#x110000;").encode("utf-8"), XMLMalformed),
    "character_nul": (in_value("&#0;").encode("utf-8"), XMLMalformed),
    "half_a_surrogate_pair": (in_value("&#xD800;").encode("utf-8"), XMLMalformed),
    "comment_in_value": (in_value("<!-- -->").encode("utf-8"), XMLForbidden),
    "comment_before_root": ((PROLOG + "<!-- x -->" + PLAIN).encode("utf-8"), XMLForbidden),
    "cdata_in_value": (in_value("<![CDATA[x]]>").encode("utf-8"), XMLForbidden),
    "instruction_in_value": (in_value("<?x y?>").encode("utf-8"), XMLForbidden),
    "stylesheet": ((PROLOG + '<?xml-stylesheet href="file:///etc/hostname"?>' + PLAIN).encode("utf-8"), XMLForbidden),
    "second_declaration": ((PROLOG + PROLOG + PLAIN).encode("utf-8"), XMLForbidden),
    "depth_300": (in_value("<a>" * 300 + "</a>" * 300).encode("utf-8"), XMLLimit),
    "depth_100000": (b"<alipay>" * 100000, XMLLimit),
    "a_million_siblings": (b"<alipay>" + b"<a/>" * 1000000 + b"</alipay>", BodyTooLarge),
    "siblings_up_to_the_size": (b"<alipay>" + b"<a/>" * 200000 + b"</alipay>", XMLLimit),
    "eleven_megabytes": (b"<alipay>" + b"x" * (11 << 20) + b"</alipay>", BodyTooLarge),
    "ninety_thousand_attributes": (("<alipay " + many(90000, 'a{:x}=""') + "/>").encode("ascii"), XMLLimit),
    "attributes_written_apart": (("<alipay " + many(60000, "a{:x} =\t''") + "/>").encode("ascii"), XMLLimit),
    "namespaces": (("<alipay " + many(40000, 'xmlns:a{0:x}="u{0:x}"') + "/>").encode("ascii"), XMLLimit),
    "endless_declaration": (b"<?xml" + b' a="b"' * 150000, XMLForbidden),
    "endless_name": (b"<alipay><" + b"a" * 900000 + b"/></alipay>", XMLMalformed),
}
EXPECTED = {"xslt_exec": UnexpectedRoot, "xslt_write": UnexpectedRoot, "xsd": UnexpectedRoot, "xinclude": XMLMalformed}
for _file in sorted(FILES.glob("*.xml")):
    ATTACKS["file_" + _file.stem] = (_file.read_bytes(), EXPECTED.get(_file.stem, XMLForbidden))


class Watch:
    """Which files and sockets Python opened while it was on; one audit hook serves the whole run."""

    seen = None

    @classmethod
    def hook(cls, event, arguments):
        if cls.seen is not None and (event == "open" or event.startswith(("socket.", "urllib.", "subprocess."))):
            cls.seen.append((event, arguments))


if sys.version_info >= (3, 8):
    sys.addaudithook(Watch.hook)


@pytest.fixture
def nothing_opened():
    """Fails the test that opens a file or a socket; codecs and lxml are loaded before."""
    for charset in ("utf-8", "gbk"):
        parse_response(md5_shop(), answer(dict(TRADE, subject="茶"), charset=charset))
    Watch.seen = []
    yield
    seen, Watch.seen = Watch.seen, None
    assert seen == []


def refused(xml):
    """The class of the refusal, and the CPU time it took."""
    started = time.process_time()
    with pytest.raises(AlipayError) as caught:
        parse_response(md5_shop(), xml, ASKED)
    return type(caught.value), time.process_time() - started


def test_there_are_at_least_39_attacks():
    assert len(ATTACKS) >= 39 and len([name for name in ATTACKS if name.startswith("file_")]) == 13


@pytest.mark.parametrize("name", sorted(ATTACKS))
def test_T73_every_attack_on_the_parser_is_refused_at_once_and_opens_nothing(name, nothing_opened):
    """The hostile half; the genuine twin is the same answer without it, below."""
    xml, expected = ATTACKS[name]
    kind, seconds = min([refused(xml) for _ in range(3)], key=lambda pair: pair[1])
    assert kind is expected
    assert seconds < 0.05


def test_T73_the_genuine_twin_of_every_attack_is_read(nothing_opened):
    response = parse_response(md5_shop(), (PROLOG + PLAIN).encode("utf-8"), ASKED)
    assert response["trade_status"] == "TRADE_FINISHED"


@pytest.mark.parametrize("name", [name for name in sorted(ATTACKS) if ATTACKS[name][1] in (XMLForbidden, BodyTooLarge)])
def test_T73_is_refused_before_the_parser_sees_it(name, monkeypatch):
    """Hostile; the genuine twin shows that the same patch would have been noticed."""
    def fail(*_):
        raise ZeroDivisionError("the parser was asked")
    monkeypatch.setattr(xml_answer, "_root", fail)
    with pytest.raises(AlipayError):
        parse_response(md5_shop(), ATTACKS[name][0])
    with pytest.raises(ZeroDivisionError):
        parse_response(md5_shop(), answer())


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs a named pipe")
def test_T73_even_the_parser_alone_reads_no_file_and_calls_nobody(tmp_path):
    """libxml2 opens files behind Python's back: a pipe would be emptied, a listening socket would be called."""
    pipe, listener = str(tmp_path / "pipe"), socket.socket()
    os.mkfifo(pipe)
    canary = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        os.write(canary, b"canary")
        listener.bind(("127.0.0.1", 0))
        listener.listen(1)
        hosts = ("file://" + pipe, pipe, "http://127.0.0.1:{}/x".format(listener.getsockname()[1]))
        for host in hosts:
            for inside in ('<!DOCTYPE alipay [<!ENTITY e SYSTEM "{}">]><alipay>&e;</alipay>',
                           '<!DOCTYPE alipay [<!ENTITY % p SYSTEM "{}"> %p;]><alipay/>',
                           '<!DOCTYPE alipay SYSTEM "{}"><alipay/>',
                           '<alipay xmlns:x="http://www.w3.org/2001/XInclude"><x:include href="{}"/></alipay>'):
                raw = inside.format(host).encode("ascii")
                try:
                    assert b"canary" not in (xml_answer._root(raw).text or "").encode("utf-8")
                except XMLMalformed:
                    pass
        assert os.read(canary, 100) == b"canary"
        assert select.select([listener], [], [], 0) == ([], [], [])
    finally:
        os.close(canary)
        listener.close()


@pytest.mark.parametrize("raw, error", [
    ("<!-- -->", XMLForbidden), ("<?pi?>", XMLForbidden), ("<![CDATA[x]]>", XMLForbidden),
    ("<b/>", XMLForbidden), ("<b>x</b>", XMLForbidden), ("<b><c/></b>", XMLLimit),
])
def test_T74_nothing_but_text_stands_inside_a_value(raw, error):
    """``TRADE_FINISHED<!-- -->_NOT`` must not read as TRADE_FINISHED; the genuine twin is read whole."""
    with pytest.raises(error):
        parse_response(md5_shop(), in_value(raw).encode("utf-8"))
    elements = dict(TRADE, trade_status="TRADE_FINISHED_NOT")
    assert parse_response(md5_shop(), answer(elements))["trade_status"] == "TRADE_FINISHED_NOT"


@pytest.mark.parametrize("name", ["is_success", "error", "sign", "sign_type"])
def test_T74_nothing_but_text_stands_inside_the_outer_values(name):
    """Hostile: a child inside; the genuine twin has text."""
    xml = PLAIN.replace("<is_success>T</is_success>", "<is_success>T</is_success><error>E</error>")
    assert xml_answer.parse(xml.encode("ascii"), "utf-8").error == "E"
    with pytest.raises(XMLForbidden):
        xml_answer.parse(xml.replace("</{}>".format(name), "<b/></{}>".format(name)).encode("ascii"), "utf-8")


@pytest.mark.parametrize("hostile", [
    PLAIN.replace(VALUE, VALUE + VALUE),
    PLAIN.replace(VALUE, VALUE + "<trade_status>TRADE_CLOSED</trade_status>"),
    PLAIN.replace(VALUE, "<trade_status/>" + VALUE),
    PLAIN.replace("</trade>", "</trade><trade><total_fee>0.01</total_fee></trade>"),
    PLAIN.replace("<response>", "<response><trade/></response><response>"),
    PLAIN.replace("<sign>", "<sign>" + "0" * 32 + "</sign><sign>"),
    PLAIN.replace("</sign>", "</sign><sign>" + "0" * 32 + "</sign>"),
    PLAIN.replace("<sign_type>", "<sign_type>RSA</sign_type><sign_type>"),
    PLAIN.replace("<is_success>T", "<is_success>F</is_success><is_success>T"),
    PLAIN.replace(VALUE, VALUE + "<sign>x</sign>"),
    PLAIN.replace(VALUE, VALUE + "<sign_type>paid</sign_type>"),
], ids=["value", "other_value", "empty_twin", "trade", "response", "sign_before", "sign_behind", "sign_type",
        "is_success", "sign_inside_what_is_signed", "sign_type_inside_what_is_signed"])
def test_T75_an_element_that_stands_twice_is_refused(hostile):
    """Signature wrapping: two readers could see two answers. The genuine twin has each once."""
    with pytest.raises(DuplicateParameter):
        parse_response(md5_shop(), hostile.encode("utf-8"))
    assert parse_response(md5_shop(), PLAIN.encode("utf-8")).signed


def test_T75_two_different_answers_in_one_response_are_refused():
    """Hostile: a second container of another name. The genuine twin has one, whatever its name."""
    with pytest.raises(XMLMalformed):
        parse_response(md5_shop(), PLAIN.replace("</trade>", "</trade><alipay/>").encode("utf-8"))
    assert parse_response(md5_shop(), answer(container="alipay")).container == "alipay"


@pytest.mark.parametrize("hostile, error", [
    (b"", NotXML), (b" \r\n", NotXML), (b'{"alipay": {}}', NotXML), (b"true", NotXML), (b"false", NotXML),
    (b"Service Unavailable", NotXML), (b"<html><body>502</body></html>", NotXML),
    (b"<!DOCTYPE html><html></html>", NotXML), (b"<HEAD></HEAD>", NotXML), (b"\x1f\x8b\x08", NotXML),
    (b"<alipays><is_success>T</is_success></alipays>", UnexpectedRoot),
    (b"<Alipay><is_success>T</is_success></Alipay>", UnexpectedRoot),
    (b'<alipay xmlns="urn:x"><is_success>T</is_success></alipay>', UnexpectedRoot),
    (b'<a:alipay xmlns:a="urn:x"><is_success>T</is_success></a:alipay>', UnexpectedRoot),
    (b'<alipay version="1"><is_success>T</is_success></alipay>', UnexpectedRoot),
    (b"<response><trade/></response>", UnexpectedRoot),
    (b'<alipay xmlns:a="urn:x"><a:is_success>T</a:is_success></alipay>', XMLMalformed),
    (b'<alipay><is_success>T</is_success><response><a:trade xmlns:a="urn:x"/></response></alipay>', XMLMalformed),
    (b'<alipay><response><trade><a:b xmlns:a="urn:x"/></trade></response></alipay>', XMLMalformed),
    (b"<alipay><is_success>T</is_success>", XMLMalformed),
    (b"<alipay><is_success>T</is_success></alipay><alipay/>", XMLMalformed),
    (b"<alipay><is_success>T</is_success></alipay>trailing", XMLMalformed),
    (b"<alipay><is_success>T</is_success><response/></alipay>", XMLMalformed),
    (b"<alipay><is_success>T</is_success><response>paid</response></alipay>", XMLMalformed),
    (b"<alipay/>", XMLMalformed), (b"<alipay></alipay>", XMLMalformed),
    (b"<alipay><is_success>true</is_success></alipay>", XMLMalformed),
    (b"<alipay><is_success></is_success></alipay>", XMLMalformed),
    (b'<?xml version="1.0" encoding="utf-8"?>', XMLMalformed),
    (b"<", XMLMalformed),
])
def test_T76_what_is_no_answer_is_refused_as_what_it_is(hostile, error):
    """A transport fault, not a verdict. The genuine twin is the smallest answer there is."""
    with pytest.raises(error) as caught:
        parse_response(md5_shop(), hostile)
    assert type(caught.value) is error
    assert parse_response(md5_shop(), b"<alipay><is_success>T</is_success></alipay>").is_success


@pytest.mark.parametrize("before", [b"\n", b"\r\n\r\n", b"  ", b"\xef\xbb\xbf"])
def test_T76_blanks_and_a_byte_order_mark_around_a_genuine_answer_are_left_out(before):
    """Seen in recorded answers. The hostile twin has a letter there."""
    assert parse_response(md5_shop(), before + answer() + b"\r\n").signed
    with pytest.raises(NotXML):
        parse_response(md5_shop(), before + b"x" + answer())
    with pytest.raises(XMLMalformed):
        parse_response(md5_shop(), answer() + b"\r\nx")


def test_T76_stray_text_between_elements_is_neither_signed_nor_handed_out():
    """Hostile: text that nobody signed. Genuine twin: the values are the same without it."""
    xml = PLAIN.replace("<trade>", "<trade>total_fee=0.01").replace("</response>", "paid</response>")
    assert dict(parse_response(md5_shop(), xml.encode("utf-8"))) == dict(parse_response(md5_shop(), answer())) == TRADE


@pytest.mark.parametrize("name", ["utf-16", "utf-7", "rot13", "idna", "latin-1", "cp1252", "big5", "nonsense", "",
                                  "utf-8 ", "hex", "\u00fctf-8"])
def test_T77_a_charset_that_alipay_does_not_use_is_refused_by_name(name):
    """Never a codec that the message picks. The genuine twin declares one of the list."""
    prolog = '<?xml version="1.0" encoding="{}"?>'.format(name)
    with pytest.raises(CharsetError):
        parse_response(md5_shop(), answer(prolog=prolog))
    with pytest.raises(CharsetError):
        xml_answer.declared_charset(prolog.encode("utf-8"))
    assert parse_response(md5_shop(), answer()).signed


@pytest.mark.parametrize("name, prolog", [
    ("utf-8", '<?xml version="1.0" encoding="utf-8"?>'), ("UTF-8", "<?xml version='1.0' encoding='UTF-8'?>"),
    ("utf8", '<?xml version="1.0" encoding="utf8"?>'), ("GBK", '<?xml version="1.0" encoding = "GBK" ?>\n'),
    ("gb2312", '<?xml version="1.0" encoding="gb2312" standalone="yes"?>'),
    ("GB18030", '<?xml\tversion="1.0"\nencoding="GB18030"?>'), (None, '<?xml version="1.0"?>'), (None, ""),
])
def test_T77_the_charsets_of_the_list_are_known_in_every_spelling(name, prolog):
    """Genuine; the hostile twin is the declaration of any other."""
    assert xml_answer.declared_charset(prolog.encode("ascii") + b"<alipay/>") == name
    assert parse_response(md5_shop(), answer(prolog=prolog)).signed


def test_the_values_are_whole_and_decoded_once():
    text = "Tom & \"Jerry\" <3  two  blanks\n\ttab &amp; é 茶 \U0001f375"
    parts = xml_answer.parse(answer(dict(TRADE, subject=text)), "utf-8")
    assert parts.elements["subject"] == text
    assert parts.container == "trade" and parts.is_success == "T" and parts.error is None


def test_character_references_are_read():
    xml = PLAIN.replace("<subject>Tea", "<subject>T&#101;&#x61;&#x1F375;&apos;&quot;")
    assert xml_answer.parse(xml.encode("ascii"), "utf-8").elements["subject"] == "Tea\U0001f375'\""


def test_empty_elements_are_empty_text():
    xml = PLAIN.replace("<subject>Tea</subject>", "<subject/><body></body>")
    elements = xml_answer.parse(xml.encode("ascii"), "utf-8").elements
    assert elements["subject"] == "" and elements["body"] == ""


def test_the_echo_of_the_request_is_not_handed_out():
    xml = PLAIN.replace("single_trade_query</param>", "x</param><param name=\"total_fee\">0.01</param>")
    assert "0.01" not in xml_answer.parse(xml.encode("ascii"), "utf-8").elements.values()


def test_as_many_elements_as_the_limit_are_read():
    xml = "<alipay>{}</alipay>".format("".join("<a{}/>".format(n) for n in range(xml_answer.MAX_ELEMENTS)))
    assert xml_answer.parse(xml.encode("ascii"), "utf-8").container is None
    with pytest.raises(XMLLimit):
        xml_answer.parse(xml.replace("</alipay>", "<b></b>" * 2501 + "</alipay>").encode("ascii"), "utf-8")


def test_a_long_value_with_many_equals_signs_is_no_flood_of_attributes():
    assert xml_answer.parse(answer(dict(TRADE, body="a=b;" * 2000)), "utf-8").elements["body"] == "a=b;" * 2000
