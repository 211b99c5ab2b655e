//! Comma-separated values by RFC 4180, safe to open with a spreadsheet program.

/// A row under way.
#[derive(Default)]
pub(crate) struct Row(String);

impl Row {
    /// Adds a field.
    #[must_use]
    pub(crate) fn field(mut self, text: &str) -> Self {
        if !self.0.is_empty() {
            self.0.push(',');
        }
        // A formula would be worked out by whoever opens the file; an apostrophe makes it a text.
        let mark = if is_formula(text) { "'" } else { "" };
        if text.contains(['"', ',', '\r', '\n']) {
            let quoted = [mark, &text.replace('"', "\"\"")].concat();
            self.0.extend(["\"", &quoted, "\""]);
        } else {
            self.0.push_str(mark);
            self.0.push_str(text);
        }
        self
    }

    /// Ends it.
    pub(crate) fn end(mut self, to: &mut String) {
        self.0.push_str("\r\n");
        to.push_str(&self.0);
    }
}

/// Whether a spreadsheet program would take it for more than a text. A phone's number with its `+`
/// is only a number.
fn is_formula(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    text.starts_with(['=', '+', '-', '@', '\t', '\r']) && !number
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_and_formulas_are_texts() {
        let mut file = String::new();
        ["a", "b,c", "say \"hi\"", "two\nlines"]
            .into_iter()
            .fold(Row::default(), Row::field)
            .end(&mut file);
        ["=1+1", "+18005550199", "+1+1", "@x", "-1", "=\"a\"", "a=1"]
            .into_iter()
            .fold(Row::default(), Row::field)
            .end(&mut file);
        assert_eq!(
            file,
            "a,\"b,c\",\"say \"\"hi\"\"\",\"two\nlines\"\r\n\
             '=1+1,+18005550199,'+1+1,'@x,'-1,\"'=\"\"a\"\"\",a=1\r\n"
        );
    }
}
