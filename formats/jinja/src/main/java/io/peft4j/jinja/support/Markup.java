package io.peft4j.jinja.support;

/**
 * A text marked as HTML by the filters {@code safe} and {@code escape}. It is a string in every way, but added to a
 * plain string it escapes that one, as in Python.
 */
record Markup(String text) {
    /** Escapes a value for HTML unless it is marked already. */
    static Markup escape(Object value, Budget budget) {
        if (value instanceof Markup markup) {
            return markup;
        }
        String text = PyText.str(value, budget);
        budget.chargeText(text.length() * 5L);
        return new Markup(text.replace("&", "&amp;").replace(">", "&gt;").replace("<", "&lt;").replace("'", "&#39;")
                .replace("\"", "&#34;"));
    }
}
