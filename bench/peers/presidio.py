"""Runs Presidio's pattern recognizers over documents and says what they cost.

    presidio.py < DOCUMENTS

A line of JSON for each document: set, id, language, text. For each one a line comes back with what was found at any
score, offsets in code points; then one for each set with its bytes and the CPU time of `analyze` alone; then one with
the peak of memory. No model: spaCy's blank tokenizers, lower-cased tokens for lemmas, which is what the context words
of these recognizers are compared with. Only recognizers of values that are compared are loaded: more would cost more.
"""

import json
import logging
import resource
import sys

logging.disable(logging.WARNING)

import presidio_analyzer.predefined_recognizers as recognizers
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer.nlp_engine import NlpArtifacts
from presidio_analyzer.nlp_engine.slim_spacy_nlp_engine import SlimSpacyNlpEngine

LANGUAGES = ["en", "de", "fr", "it", "es", "pt"]
EVERYWHERE = ["CreditCard", "Crypto", "Date", "Email", "Iban", "Ip", "MacAddress", "Phone", "Url"]
NATIONAL = {
    "en": ["UsSsn", "UsItin", "Nhs", "UkNino", "InAadhaar", "InPan"],
    "de": ["DeTaxId", "DeVatId"],
    "it": ["ItFiscalCode", "ItVatCode"],
    "es": ["EsNif", "EsNie"],
}
REGIONS = ("US", "GB", "DE", "FR", "IT", "ES", "BR", "IN")
LABELS = {
    "EMAIL_ADDRESS": "EMAIL",
    "PHONE_NUMBER": "PHONE",
    "IBAN_CODE": "IBAN",
    "DE_VAT_ID": "VAT_ID",
    "IT_VAT_CODE": "VAT_ID",
    "DATE_TIME": "DATE",
}


class Blank(SlimSpacyNlpEngine):
    def load(self):
        self.nlp = {language: spacy.blank(language) for language in LANGUAGES}

    def _doc_to_nlp_artifact(self, doc, language):
        return NlpArtifacts(
            entities=[],
            tokens=doc,
            tokens_indices=[token.idx for token in doc],
            lemmas=[token.text.lower() for token in doc],
            nlp_engine=self,
            language=language,
            scores=[],
        )


def analyzer():
    engine = Blank(models=[{"lang_code": "en", "model_name": "none"}])
    engine.load()
    registry = RecognizerRegistry(supported_languages=LANGUAGES, recognizers=[])
    for language in LANGUAGES:
        for name in EVERYWHERE + NATIONAL.get(language, []):
            options = {"supported_language": language}
            if name == "Phone":
                options["supported_regions"] = REGIONS
            registry.add_recognizer(getattr(recognizers, name + "Recognizer")(**options))
    return AnalyzerEngine(registry=registry, nlp_engine=engine, supported_languages=LANGUAGES)


def cpu():
    return sum(resource.getrusage(resource.RUSAGE_SELF)[:2])


def main():
    analyze = analyzer().analyze
    analyze("warm up 4111 1111 1111 1111 +1 212 555 0100", language="en")
    spent, read = {}, {}
    for line in sys.stdin:
        document = json.loads(line)
        text, name = document["text"], document["set"]
        language = document["language"] if document["language"] in LANGUAGES else "en"
        before = cpu()
        found = analyze(text, language=language)
        spent[name] = spent.get(name, 0) + cpu() - before
        read[name] = read.get(name, 0) + len(text.encode())
        spans = [[f.start, f.end, LABELS.get(f.entity_type, f.entity_type), f.score] for f in found]
        print(json.dumps({"set": name, "id": document["id"], "spans": spans}))
    for name in spent:
        print(json.dumps({"set": name, "bytes": read[name], "cpu_s": spent[name]}))
    print(json.dumps({"rss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


main()
