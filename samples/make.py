#!/usr/bin/env python3
"""Makes the sample documents in this folder. The same bytes come out at every run.

    pip install -r samples/requirements.txt
    python samples/make.py            # writes the documents and MANIFEST.tsv
    python samples/make.py --check    # compares them with what is there, writes nothing

The texts are in `text/`, in a small notation: `#` title, `##` and `###` headings, `@` a centred line, `-` a list item, `|` a table
row (the first one is the head), `=== page` a new page, a blank line between paragraphs. All companies and people are
invented; telephone numbers, mail domains and bank codes are of ranges that nobody uses.
"""

import hashlib
import io
import random
import re
import sys
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import pypdf
import pypdf._crypt_providers as crypt_providers
import pypdf._encryption as encryption
import pypdf._writer as pdf_writer
import reportlab
import reportlab.rl_config
from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageFont
from reportlab.lib.enums import TA_CENTER, TA_JUSTIFY
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.lib.utils import ImageReader
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.pdfgen import canvas
from reportlab.platypus import PageBreak, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

import office
import schedules

HERE = Path(__file__).resolve().parent
TEXT = HERE / "text"
FONTS = Path(reportlab.__file__).parent / "fonts"
PASSWORD = "millrace"

reportlab.rl_config.invariant = 1

MANIFEST = [
    # file, kind, language, expected end, expected code, five phrases
    ("contract-en.pdf", "contract", "en", "completed", "",
     ["Tarnwick Harbour Logistics Ltd", "initial term of twenty-four (24) months", "monthly service fee of GBP 18,500.00", "shall not exceed GBP 450,000.00", "governed by the laws of England and Wales"]),
    ("contrato-es.pdf", "contract", "es", "completed", "",
     ["Inmobiliaria Valdecorna, S.L.", "duración inicial de cinco (5) años", "renta mensual de 4.350,00 euros", "no excederá de 90.000,00 euros", "se regirá por la ley española"]),
    ("agreement-long.pdf", "contract", "en", "completed", "",
     ["Hollinmere Energy Networks plc", "initial term of seven (7) years", "estimated GBP 60,400,000.00", "SERVICE SCHEDULE S7: METERING DATA STORE", "Lavinia Stourbridge"]),
    ("invoice.pdf", "invoice", "en", "completed", "",
     ["OD-2026-00418", "30 May 2026", "Monthly service fee", "27,585.60", "PO-77120"]),
    ("resume.pdf", "resume", "en", "completed", "",
     ["Marguerite Holloway-Anand", "Pellworth Freight Systems", "14 million shipment events", "MSc in Computer Science", "NATS JetStream"]),
    ("notes.txt", "notes", "en", "completed", "",
     ["Minutes of the service review", "Weighbridge 4", "GBP 925.00", "Imogen Farrowdale", "14 May 2026"]),
    ("notice.md", "notice", "en", "completed", "",
     ["Notice of planned maintenance", "Sunday 7 June 2026", "Gate register", "four hours", "Read-only"]),
    ("page.html", "web page", "en", "completed", "",
     ["Returns and refunds", "within thirty days", "deducted from the refund", "Brackenfold Retail Group", "original packaging"]),
    ("agreement.docx", "contract, Word", "en", "completed", "",
     ["CONSULTING AGREEMENT", "Odalys Ferrant Consulting Ltd", "Report and workshop", "shall not exceed GBP 50,000.00", "governed by the laws of England and Wales"]),
    ("prices.xlsx", "price list, Excel", "en", "completed", "",
     ["Services", "Stock count", "38.25", "Discounts", "7.5 %"]),
    ("review.pptx", "slides, PowerPoint", "en", "completed", "",
     ["Quarterly service review", "Imogen Farrowdale", "99.94 %", "Weighbridge 4 is replaced", "Draft of 4 May 2026"]),
    ("lifts.odt", "notice, OpenDocument", "en", "completed", "",
     ["Notice to tenants of Foundry Square", "28 August 2026", "GBP 140.00", "Reduction", "Percival Oakhanger"]),
    ("mail.eml", "e-mail with two attachments", "en", "completed", "",
     ["Consulting Agreement and last invoice", "Dear all,", "Ostrevane Data Services", "21 July 2026", "Kind regards"]),
    ("papers.zip", "archive of two documents", "", "unpacked", "", []),
    ("scanned.pdf", "letter, image only", "en", "completed", "",
     ["CASSAVANT SYSTEMS GROUP LTD", "Milestone T2 of the transition plan", "two weeks before the date in Schedule 2", "within seven Business Days", "Persephone Lindqvist-Marsh"]),
    ("fax.tiff", "letter, fax of two pages", "en", "completed", "",
     ["CASSAVANT SYSTEMS GROUP LTD", "Milestone T2 of the transition plan", "two weeks before the date in Schedule 2", "within seven Business Days", "Persephone Lindqvist-Marsh"]),
    ("photo.jpg", "letter, photograph on its side", "en", "completed", "",
     ["CASSAVANT SYSTEMS GROUP LTD", "Milestone T2 of the transition plan", "two weeks before the date in Schedule 2", "within seven Business Days", "Persephone Lindqvist-Marsh"]),
    ("mixed.pdf", "contract, one page of three a scan", "en", "completed", "",
     ["Tarnwick Harbour Logistics Ltd", "initial term of twenty-four (24) months", "CASSAVANT SYSTEMS GROUP LTD", "four were found to be out of use", "Persephone Lindqvist-Marsh"]),
    ("encrypted.pdf", "contract, password needed", "", "rejected", "document_encrypted", []),
    ("broken.pdf", "damaged", "", "rejected", "document_broken", []),
]

INVOICE = [
    ("Monthly service fee, April 2026", "1", "18500.00"),
    ("Senior analyst, days of additional work", "4.5", "940.00"),
    ("Extra extracts of the gate register", "2", "385.50"),
    ("Travel to Port Ansel, 14 April 2026, at cost", "1", "412.00"),
    ("Service Credit, March report", "1", "-925.00"),
]

def read(name):
    return (TEXT / name).read_text(encoding="utf-8")


def money(value):
    return f"{value:,.2f}"


def styles(base, bold, size):
    body = ParagraphStyle("body", fontName=base, fontSize=size, leading=size * 1.36, alignment=TA_JUSTIFY, spaceAfter=size * 0.62)
    return {
        "body": body,
        "title": ParagraphStyle("title", parent=body, fontName=bold, fontSize=size + 5, leading=size + 11, alignment=TA_CENTER, spaceAfter=10),
        "centre": ParagraphStyle("centre", parent=body, alignment=TA_CENTER),
        "h2": ParagraphStyle("h2", parent=body, fontName=bold, fontSize=size + 1, alignment=0, spaceBefore=8, keepWithNext=1),
        "h3": ParagraphStyle("h3", parent=body, fontName=bold, alignment=0, spaceBefore=4, keepWithNext=1),
        "item": ParagraphStyle("item", parent=body, leftIndent=14, bulletIndent=3, spaceAfter=size * 0.3),
        "cell": ParagraphStyle("cell", parent=body, alignment=0, fontSize=size - 1.2, leading=size * 1.15, spaceAfter=0),
        "head": ParagraphStyle("head", parent=body, alignment=0, fontName=bold, fontSize=size - 1.2, leading=size * 1.15, spaceAfter=0),
    }


def grid(rows, style, width):
    cells = [[Paragraph(escape(c), style["head" if i == 0 else "cell"]) for c in row] for i, row in enumerate(rows)]
    out = Table(cells, colWidths=[width / len(rows[0])] * len(rows[0]), repeatRows=1, hAlign="LEFT")
    out.setStyle(TableStyle([
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, "black"),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, "grey"),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]))
    return [out, Spacer(1, 8)]


def flow(text, style, width):
    """The notation -> flowables."""
    out, paragraph, rows = [], [], []

    def flush():
        if paragraph:
            out.append(Paragraph(escape(" ".join(paragraph)), style["body"]))
            paragraph.clear()
        if rows:
            out.extend(grid(list(rows), style, width))
            rows.clear()

    for line in text.splitlines():
        line = line.rstrip()
        if line.startswith("| "):
            rows.append([cell.strip() for cell in line[2:].split(" | ")])
            continue
        mark, _, rest = line.partition(" ")
        kind = {"#": "title", "##": "h2", "###": "h3", "@": "centre"}.get(mark)
        if line == "" or kind or mark in ("-", "==="):
            flush()
        if kind:
            out.append(Paragraph(escape(rest), style[kind]))
        elif mark == "-":
            out.append(Paragraph(escape(rest), style["item"], bulletText="\u2022"))
        elif mark == "===":
            out.append(PageBreak())
        elif line:
            paragraph.append(line)
    flush()
    return out


class Document(SimpleDocTemplate):
    """The footer comes after the text of the page, as word processors write it, and not before."""

    footer = None

    def afterPage(self):
        if self.footer:
            self.canv.setFont(self.footer_font, 8.5)
            self.canv.drawString(25 * mm, 14 * mm, self.footer)
            self.canv.drawRightString(A4[0] - 25 * mm, 14 * mm, f"Page {self.canv.getPageNumber()}")


def pdf(text, title, author, fonts=("Times-Roman", "Times-Bold"), size=11, footer=None):
    out = io.BytesIO()
    doc = Document(out, pagesize=A4, leftMargin=25 * mm, rightMargin=25 * mm, topMargin=24 * mm, bottomMargin=24 * mm,
                   title=title, author=author, subject="Sample document, all names are invented", creator="samples/make.py")
    doc.footer, doc.footer_font = footer, fonts[0]
    doc.build(flow(text, styles(*fonts, size), doc.width))
    return out.getvalue()


def invoice_text():
    lines, net = ["| Description | Quantity | Unit price (GBP) | Amount (GBP)"], Decimal(0)
    for what, quantity, price in INVOICE:
        amount = Decimal(quantity) * Decimal(price)
        net += amount
        lines.append(f"| {what} | {quantity} | {money(Decimal(price))} | {money(amount)}")
    tax = net * Decimal("0.20")
    totals = ["| Item | Amount (GBP)", f"| Net total | {money(net)}", f"| Value added tax at 20% | {money(tax)}", f"| Total due | {money(net + tax)}"]
    text = (TEXT / "invoice.txt").read_text(encoding="utf-8")
    return text.replace("@@lines", "\n".join(lines)).replace("@@totals", "\n".join(totals)).replace("@@total", money(net + tax))


def drawn(lines, scale=1):
    """Lines on a page of paper, 100 dots an inch times scale."""
    page = Image.new("L", (826 * scale, 1169 * scale), 250)
    pen = ImageDraw.Draw(page)
    font = ImageFont.truetype(str(FONTS / "Vera.ttf"), 21 * scale, layout_engine=ImageFont.Layout.BASIC)
    for row, line in enumerate(lines):
        pen.text((100 * scale, (120 + 36 * row) * scale), line, font=font, fill=30)
    return page


def fax():
    """The letter on two pages, black on white and compressed as a fax is."""
    lines = read("letter.txt").splitlines()
    half = len(lines) // 2
    pages = [drawn(part, 2).point(lambda bright: 255 if bright > 128 else 0).convert("1") for part in (lines[:half], lines[half:])]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:], compression="group4", dpi=(200, 200))
    return out.getvalue()


def photo():
    """The letter as a telephone photographs it: lying on its side, with a note that says so; shaded towards a corner."""
    page = drawn(read("letter.txt").splitlines(), 2)
    shade = Image.linear_gradient("L").resize(page.size).point(lambda bright: 160 + bright * 95 // 255)
    page = Image.merge("RGB", [ImageChops.multiply(page, shade)] * 3).filter(ImageFilter.GaussianBlur(0.8))
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: the top is on the right
    out = io.BytesIO()
    page.transpose(Image.Transpose.ROTATE_90).save(out, "JPEG", quality=60, exif=exif)
    return out.getvalue()


def scanned():
    """One page that is only a picture, a little crooked and a little dirty, as an office scanner gives it."""
    chance = random.Random(7)
    page = drawn(read("letter.txt").splitlines())
    page = page.rotate(0.6, fillcolor=250, resample=Image.Resampling.BILINEAR).filter(ImageFilter.GaussianBlur(0.5))
    for _ in range(900):
        x, y = chance.randrange(page.width), chance.randrange(page.height)
        page.putpixel((x, y), chance.randrange(60, 215))
    page = page.quantize(8, dither=Image.Dither.NONE).convert("L")
    out = io.BytesIO()
    sheet = canvas.Canvas(out, pagesize=A4, invariant=1)
    sheet.setTitle("Scan 0001")
    sheet.setAuthor("Office scanner")
    sheet.drawImage(ImageReader(page), 0, 0, *A4)
    sheet.save()
    return out.getvalue()


def mixed(plain, scan):
    """Two pages of text with a scanned one between them."""
    writer = pypdf.PdfWriter()
    first, second = pypdf.PdfReader(io.BytesIO(plain)).pages[:2]
    for page in (first, pypdf.PdfReader(io.BytesIO(scan)).pages[0], second):
        writer.add_page(page)
    writer.metadata = {"/Title": "Services Agreement with a letter", "/Author": "samples/make.py"}
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def encrypted(plain):
    """AES-256 with a user password. The random bytes of the cipher come from a counter, so that the file is always the same."""
    count = iter(range(10**9))

    def fixed(length):
        out = b""
        while len(out) < length:
            out += hashlib.sha256(b"millrace sample %d" % next(count)).digest()
        return out[:length]

    class Fixed:
        token_bytes = staticmethod(fixed)

    modules = (crypt_providers._cryptography, encryption, pdf_writer)
    kept = [module.secrets for module in modules]
    for module in modules:
        module.secrets = Fixed
    try:
        writer = pypdf.PdfWriter()
        for page in pypdf.PdfReader(io.BytesIO(plain)).pages[:2]:
            writer.add_page(page)
        writer.metadata = {"/Title": "Services Agreement (protected)", "/Author": "samples/make.py"}
        writer.encrypt(user_password=PASSWORD, owner_password=PASSWORD + "-owner", algorithm="AES-256")
        out = io.BytesIO()
        writer.write(out)
        return out.getvalue()
    finally:
        for module, secrets in zip(modules, kept):
            module.secrets = secrets


def broken():
    """A header, then nothing that a reader could make a page of: no object, no table, no trailer."""
    chance = random.Random(11)
    noise = bytes(chance.randrange(128, 256) for _ in range(1400))
    return b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n7 0 obj\n<< /Length 4096 /Filter /FlateDecode >>\nstream\n" + noise


def check_ibans(text):
    for iban in re.findall(r"IBAN ([A-Z]{2}\d{2}(?: [A-Z0-9]{1,4})+)", text):
        plain = iban.replace(" ", "")
        digits = "".join(str(int(c, 36)) for c in plain[4:] + plain[:4])
        assert int(digits) % 97 == 1, iban


def documents():
    for name in ("Vera", "VeraBd"):
        pdfmetrics.registerFont(TTFont(name, str(FONTS / f"{name}.ttf")))
    contract, contrato, long = read("contract-en.txt"), read("contrato-es.txt"), read("agreement-long.txt") + "\n" + schedules.all_schedules()
    for text in (contract, contrato, long, read("invoice.txt")):
        check_ibans(text)
    out = {
        "contract-en.pdf": pdf(contract, "Services Agreement TH-2026-0147", "Tarnwick Harbour Logistics Ltd", footer="Services Agreement TH-2026-0147"),
        "contrato-es.pdf": pdf(contrato, "Contrato de arrendamiento VQ-2026/031", "Inmobiliaria Valdecorna, S.L.", size=11.5, footer="Contrato VQ-2026/031"),
        "agreement-long.pdf": pdf(long, "Master Services and Supply Agreement", "Hollinmere Energy Networks plc", footer="HEN-MSA-2026-07"),
        "invoice.pdf": pdf(invoice_text(), "Invoice OD-2026-00418", "Ostrevane Data Services Ltd", fonts=("Helvetica", "Helvetica-Bold"), size=10),
        "resume.pdf": pdf(read("resume.txt"), "Curriculum vitae", "Marguerite Holloway-Anand", fonts=("Vera", "VeraBd"), size=9.5),
        "scanned.pdf": scanned(),
        "fax.tiff": fax(),
        "photo.jpg": photo(),
        "broken.pdf": broken(),
    }
    out["mixed.pdf"] = mixed(out["contract-en.pdf"], out["scanned.pdf"])
    out["encrypted.pdf"] = encrypted(out["contract-en.pdf"])
    for name in ("notes.txt", "notice.md", "page.html"):
        out[name] = read(name).encode()
    out |= {"agreement.docx": office.agreement(), "prices.xlsx": office.prices(), "review.pptx": office.review(), "lifts.odt": office.notice()}
    word = "vnd.openxmlformats-officedocument.wordprocessingml.document"
    out["mail.eml"] = office.mail([("invoice.pdf", "pdf", out["invoice.pdf"]), ("agreement.docx", word, out["agreement.docx"])])
    out["papers.zip"] = office.archive([("2026/lifts.odt", out["lifts.odt"]), ("notes.txt", out["notes.txt"])])
    return out


def squeeze(text):
    return " ".join(text.split())


def manifest(files):
    lines = ["file\tkind\tlanguage\tpages\texpected_end\texpected_code\tphrases"]
    for name, kind, language, end, code, phrases in MANIFEST:
        pages = ""
        if name.endswith(".pdf") and name != "broken.pdf":
            reader = pypdf.PdfReader(io.BytesIO(files[name]))
            if reader.is_encrypted:
                assert not reader.decrypt("") and reader.decrypt(PASSWORD)
            pages = len(reader.pages)
            text = squeeze(" ".join(page.extract_text() for page in reader.pages))
        elif name.endswith((".docx", ".xlsx", ".pptx", ".odt", ".eml")):
            text = squeeze(office.text_of(name, files[name]))
        else:
            text = squeeze(files[name].decode("utf-8", "replace"))
        if name.endswith(".tiff"):
            pages = 2
        if name in ("scanned.pdf", "mixed.pdf", "fax.tiff", "photo.jpg"):
            letter = squeeze(read("letter.txt"))
            assert letter[:20] not in text, f"{name}: the scan has a text layer"
            text += letter
        for phrase in phrases:
            assert phrase in text, (name, phrase)
        assert len(phrases) == (5 if end == "completed" else 0), name
        lines.append("\t".join([name, kind, language, str(pages), end, code, "|".join(phrases)]))
    return "\n".join(lines) + "\n"


def main():
    files = documents()
    files["MANIFEST.tsv"] = manifest(files).encode()
    wrong = 0
    for name, data in files.items():
        path = HERE / name
        if "--check" in sys.argv[1:]:
            same = path.exists() and path.read_bytes() == data
            wrong += not same
            print("same     " if same else "DIFFERENT", name)
        else:
            path.write_bytes(data)
            print(f"{len(data):>8}  {name}")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
