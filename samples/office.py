"""Office documents, a mail and an archive, written by the programs' own libraries. The same bytes come out at every run:
files inside packages get one date, and the libraries' own dates are replaced by it."""

import io
import re
import zipfile
from email import message_from_bytes, policy
from email.message import EmailMessage

import docx
import openpyxl
import pptx
from docx.enum.text import WD_BREAK
from odf import style as odf_style
from odf import table as odf_table
from odf import teletype
from odf import text as odf_text
from odf.opendocument import OpenDocumentText, load
from openpyxl.styles import Font
from pptx.util import Inches

WHEN = "2026-05-04T09:00:00Z"

AGREEMENT = [
    ("title", "CONSULTING AGREEMENT"),
    ("text", "This Consulting Agreement is made on 4 May 2026 between Brackenfold Retail Group Ltd, a company registered in England (the \"Client\"), and Odalys Ferrant Consulting Ltd, a company registered in Scotland (the \"Consultant\")."),
    ("head", "1. Services"),
    ("text", "1.1 The Consultant shall review the Client's returns process in eleven shops and shall deliver a written report by 31 July 2026."),
    ("text", "1.2 The Consultant shall not subcontract the services without the prior written consent of the Client."),
    ("head", "2. Fees"),
    ("rows", [("Work", "Days", "Fee"), ("Review of shops", "22", "GBP 19,800.00"), ("Report and workshop", "6", "GBP 5,400.00")]),
    ("text", "2.1 The Client shall pay the total fee of GBP 25,200.00 within thirty days of each invoice. Questions about invoices go to accounts@odalys-ferrant.example."),
    ("page", ""),
    ("head", "3. Liability"),
    ("text", "3.1 The liability of the Consultant under this Agreement shall not exceed GBP 50,000.00 in total."),
    ("head", "4. Term and termination"),
    ("text", "4.1 This Agreement begins on 18 May 2026 and ends on 30 September 2026. Either party may terminate it by fourteen days' written notice."),
    ("head", "5. Law"),
    ("text", "5.1 This Agreement is governed by the laws of England and Wales."),
]

PRICES = {
    "Services": [("Item", "Unit", "Price GBP"), ("Stock count", "shop", 480.5), ("Night shift", "hour", 38.25), ("Pallet storage", "week", 6.4)],
    "Discounts": [("Volume from", "Discount"), (50, "3 %"), (200, "7.5 %")],
}

SLIDES = [
    ("Quarterly service review", ["Tarnwick Harbour Logistics, second quarter 2026", "Presented by Imogen Farrowdale"]),
    ("What went well", ["Gate register available 99.94 % of the time", "Eleven of twelve manifests closed within one day"]),
    ("What comes next", ["Weighbridge 4 is replaced on 14 September 2026", "Budget requested: GBP 62,000.00"]),
]

NOTICE = [
    "Notice to tenants of Foundry Square",
    "The lifts of building 9 will be renewed between 3 August 2026 and 28 August 2026. During this time only the goods lift is available.",
    "The landlord reduces the service charge for August by GBP 140.00 for each unit.",
]


def packed(data):
    """The same package with one date on every file, and in the documents' own properties."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = re.sub(rb"(<dcterms:(created|modified)[^>]*>)[^<]*", rb"\g<1>" + WHEN.encode(), content)
            if name == "meta.xml":
                content = re.sub(rb"(<(meta:creation-date|dc:date)>)[^<]*", rb"\g<1>" + WHEN.encode(), content)
            info = zipfile.ZipInfo(name, (2026, 5, 4, 9, 0, 0))
            info.compress_type = zipfile.ZIP_STORED if name == "mimetype" else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            new.writestr(info, content)
    return out.getvalue()


def agreement():
    document = docx.Document()
    for kind, what in AGREEMENT:
        if kind == "title":
            document.add_heading(what, 0)
        elif kind == "head":
            document.add_heading(what, 1)
        elif kind == "text":
            document.add_paragraph(what)
        elif kind == "page":
            document.add_paragraph().add_run().add_break(WD_BREAK.PAGE)
        else:
            rows = document.add_table(rows=0, cols=len(what[0]))
            for row in what:
                for cell, text in zip(rows.add_row().cells, row):
                    cell.text = text
    out = io.BytesIO()
    document.save(out)
    return packed(out.getvalue())


def prices():
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in PRICES.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
        for cell in sheet[1]:
            cell.font = Font(bold=True)
    out = io.BytesIO()
    book.save(out)
    return packed(out.getvalue())


def review():
    deck = pptx.Presentation()
    for title, lines in SLIDES:
        slide = deck.slides.add_slide(deck.slide_layouts[1])
        slide.shapes.title.text = title
        slide.placeholders[1].text_frame.text = "\n".join(lines)
    slide.shapes.add_textbox(Inches(1), Inches(6), Inches(4), Inches(1)).text_frame.text = "Draft of 4 May 2026"
    out = io.BytesIO()
    deck.save(out)
    return packed(out.getvalue())


def notice():
    document = OpenDocumentText()
    broken = odf_style.Style(name="NewPage", family="paragraph")
    broken.addElement(odf_style.ParagraphProperties(breakbefore="page"))
    document.automaticstyles.addElement(broken)
    title, *rest = NOTICE
    document.text.addElement(odf_text.H(outlinelevel=1, text=title))
    for line in rest:
        document.text.addElement(odf_text.P(text=line))
    rows = odf_table.Table()
    for row in (("Unit", "Reduction"), ("9a", "GBP 140.00")):
        line = odf_table.TableRow()
        for text in row:
            cell = odf_table.TableCell()
            cell.addElement(odf_text.P(text=text))
            line.addElement(cell)
        rows.addElement(line)
    document.text.addElement(rows)
    document.text.addElement(odf_text.P(stylename=broken, text="Questions are answered by the caretaker, Mr Percival Oakhanger, on weekdays before 10:00."))
    out = io.BytesIO()
    document.write(out)
    return packed(out.getvalue())


def mail(attached):
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = "Odalys Ferrant <odalys@odalys-ferrant.example>"
    message["To"] = "Purchasing <purchasing@brackenfold.example>"
    message["Date"] = "Mon, 04 May 2026 10:12:00 +0100"
    message["Subject"] = "Consulting Agreement and last invoice"
    message["Message-ID"] = "<20260504101200.1@odalys-ferrant.example>"
    message.set_content(
        "Dear all,\n\nplease find attached the Consulting Agreement for signature, and the invoice of Ostrevane Data Services that we "
        "spoke about. The workshop is planned for 21 July 2026, at a fee of GBP 5,400.00.\n\nKind regards\nOdalys Ferrant\n"
    )
    for name, kind, data in attached:
        message.add_attachment(data, maintype="application", subtype=kind, filename=name)
    for part in message.walk():
        if part.is_multipart():
            part.set_boundary("=====millrace-samples=====")
    return message.as_bytes()


def archive(files):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for name, data in files:
            info = zipfile.ZipInfo(name, (2026, 5, 4, 9, 0, 0))
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            new.writestr(info, data)
    return out.getvalue()


def text_of(name, data):
    """The text of one of these, by the library of the program that it is for."""
    if name.endswith(".docx"):
        document = docx.Document(io.BytesIO(data))
        cells = [cell.text for table in document.tables for row in table.rows for cell in row.cells]
        return " ".join([paragraph.text for paragraph in document.paragraphs] + cells)
    if name.endswith(".xlsx"):
        book = openpyxl.load_workbook(io.BytesIO(data))
        return " ".join(f"{sheet.title} {cell.value}" for sheet in book for row in sheet for cell in row)
    if name.endswith(".pptx"):
        deck = pptx.Presentation(io.BytesIO(data))
        return " ".join(shape.text_frame.text for slide in deck.slides for shape in slide.shapes if shape.has_text_frame)
    if name.endswith(".eml"):
        message = message_from_bytes(data, policy=policy.SMTP)
        return f"{message['Subject']} {message.get_body().get_content()}"
    if name.endswith(".odt"):
        return teletype.extractText(load(io.BytesIO(data)).text)
    raise ValueError(name)
