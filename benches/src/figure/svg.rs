//! A few SVG elements, written as text.

use std::fmt::Write;

/// A drawing under construction.
#[derive(Debug)]
pub struct Svg {
    width: f64,
    height: f64,
    body: String,
}

/// Where a text stands relative to its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// It begins there.
    Start,
    /// It ends there.
    End,
}

impl Svg {
    /// An empty drawing.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    /// A rectangle with rounded corners in the style of `class`.
    pub fn bar(&mut self, class: &str, (x, y): (f64, f64), (width, height): (f64, f64), radius: f64) {
        self.element(format_args!(
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             rx=\"{radius:.1}\"/>"
        ));
    }

    /// A straight line.
    pub fn line(&mut self, class: &str, (x1, y1): (f64, f64), (x2, y2): (f64, f64)) {
        self.element(format_args!(
            "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>"
        ));
    }

    /// A text on the baseline `y`.
    pub fn text(&mut self, class: &str, (x, y): (f64, f64), anchor: Anchor, text: &str) {
        let anchor = if anchor == Anchor::End { "end" } else { "start" };
        let text = escaped(text);
        self.element(format_args!(
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>"
        ));
    }

    /// The whole document with these style rules and this description for readers that do not see it.
    pub fn finish(self, style: &str, description: &str) -> String {
        let Self { width, height, body } = self;
        let description = escaped(description);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width:.0} {height:.0}\" width=\"{width:.0}\" \
             height=\"{height:.0}\" role=\"img\">\n<title>{description}</title>\n<style>{style}</style>\n{body}</svg>\n"
        )
    }

    fn element(&mut self, element: std::fmt::Arguments<'_>) {
        writeln!(self.body, "{element}").expect("writing to a string cannot fail");
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_written_and_texts_escaped() {
        let mut svg = Svg::new(10.0, 20.0);
        svg.bar("b", (1.0, 2.0), (3.04, 4.0), 1.0);
        svg.text("t", (1.0, 2.0), Anchor::End, "a < b & c");
        let document = svg.finish(".b{}", "x > y");
        assert!(document.starts_with("<svg xmlns"));
        assert!(document.contains("viewBox=\"0 0 10 20\""));
        assert!(document.contains("width=\"3.0\""));
        assert!(document.contains("text-anchor=\"end\">a &lt; b &amp; c</text>"));
        assert!(document.contains("<title>x &gt; y</title>"));
    }
}
