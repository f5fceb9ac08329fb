"""Counts tokens with Gemini's vocabulary.

    gemini_tokens.py MODEL < TEXTS

MODEL is the SentencePiece model that Google publishes with gemma 3; a line of JSON, a string, for each text. A line with
the number of its tokens comes back for each.
"""

import json
import sys

import sentencepiece


def main():
    processor = sentencepiece.SentencePieceProcessor(model_file=sys.argv[1])
    for line in sys.stdin:
        print(len(processor.encode(json.loads(line))))


main()
