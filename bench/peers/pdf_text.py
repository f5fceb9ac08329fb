"""Reads PDFs with a Python library and says what each one cost.

    pdf_text.py pypdfium2|pypdf OUTPUT < LIST

LIST has a line for each file: its path, a tab, its password. The text of the n-th goes to OUTPUT/n.txt; a line of JSON
for each comes on standard output. Each file is read in a fork after the library was loaded: the interpreter's start is
not counted, a crash is one file's, and the memory is that file's own peak.
"""

import json
import os
import resource
import signal
import sys


def pypdfium2_reader():
    import pypdfium2

    def read(path, password):
        document = pypdfium2.PdfDocument(path, password=password or None)
        return "\f".join(page.get_textpage().get_text_range() for page in document)

    return read


def pypdf_reader():
    import logging

    import pypdf

    logging.disable(logging.CRITICAL)

    def read(path, password):
        reader = pypdf.PdfReader(path, password=password or None)
        return "\f".join(page.extract_text() for page in reader.pages)

    return read


def main():
    library, folder = sys.argv[1:]
    read = {"pypdfium2": pypdfium2_reader, "pypdf": pypdf_reader}[library]()
    for number, line in enumerate(sys.stdin.read().splitlines()):
        path, _, password = line.partition("\t")
        child = os.fork()
        if child == 0:
            signal.alarm(120)
            try:
                text = read(path, password)
                with open(f"{folder}/{number}.txt", "w", encoding="utf-8", errors="replace") as out:
                    out.write(text)
                os._exit(0)
            except BaseException:
                os._exit(1)
        _, status, usage = os.wait4(child, 0)
        print(json.dumps({
            "ok": status == 0,
            "cpu_ms": 1000 * (usage.ru_utime + usage.ru_stime),
            "peak_mb": usage.ru_maxrss / 1024,
        }), flush=True)


main()
