//! What stands without quotation marks: numbers with separators, and the literals of other languages.

use super::lenient::{GiveUp, Parsed, Parser};
use crate::written::numbers;
use serde_json::{Number, Value};

impl Parser<'_> {
    /// A number or a literal, and whether its end was seen.
    pub(super) fn bare(&mut self, schema: &Value) -> Parsed<(Value, bool)> {
        match self.peek() {
            Some(character) if character.is_ascii_digit() || "+-.".contains(character) => self.number(),
            Some(character) if character.is_alphabetic() => self.word(schema),
            _ => Err(GiveUp),
        }
    }

    fn number(&mut self) -> Parsed<(Value, bool)> {
        let list = self.frames.last().is_some_and(|frame| frame.list);
        let start = self.at;
        self.at += 1;
        while let Some(character) = self.peek() {
            let digits = self.text[self.at + 1..].iter().take_while(|next| next.is_ascii_digit()).count();
            let goes_on = match character {
                '0'..='9' | '.' | 'e' | 'E' | '_' => true,
                '+' | '-' => matches!(self.text[self.at - 1], 'e' | 'E'),
                // In a list a comma ends the number; in an object no name begins with a digit.
                ',' => !list && digits > 0,
                '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}' => digits == 3,
                _ => false,
            };
            if !goes_on {
                break;
            }
            self.at += 1;
        }
        let token: String = self.text[start..self.at].iter().collect();
        if self.peek().is_none() {
            return Ok((Value::Null, false));
        }
        if let Ok(number) = serde_json::from_str::<Number>(&token) {
            return Ok((number.into(), true));
        }
        let number = numbers::certain(&token.replace('_', "")).ok_or(GiveUp)?;
        self.note("number");
        Ok((numbers::json(number), true))
    }

    fn word(&mut self, schema: &Value) -> Parsed<(Value, bool)> {
        let start = self.at;
        while self.peek().is_some_and(|character| character.is_alphanumeric() || character == '_') {
            self.at += 1;
        }
        let word: String = self.text[start..self.at].iter().collect();
        let value = match word.as_str() {
            "true" => return Ok((true.into(), true)),
            "false" => return Ok((false.into(), true)),
            "null" => return Ok((Value::Null, true)),
            "True" | "TRUE" => true.into(),
            "False" | "FALSE" => false.into(),
            "None" | "NULL" | "Null" | "nil" | "undefined" | "NaN" => Value::Null,
            _ if self.peek().is_none() => return Ok((Value::Null, false)),
            other => {
                let options = schema["enum"].as_array().ok_or(GiveUp)?;
                let same = |option: &&Value| {
                    option.as_str().is_some_and(|option| option.eq_ignore_ascii_case(other))
                };
                let option = options.iter().find(same).ok_or(GiveUp)?;
                self.guessed = true;
                option.clone()
            }
        };
        self.note("literal");
        Ok((value, true))
    }
}
