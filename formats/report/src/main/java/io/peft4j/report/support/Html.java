package io.peft4j.report.support;

import java.util.Collection;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/**
 * An element of a page, or several beside each other. What is added is markup if it is {@code Html}, and text that gets
 * escaped if it is anything else: there is no third way in. Elements and attributes that load, run or send something do
 * not exist here.
 *
 * <pre>{@code
 * Html.tag("p").css("note").add("Expected: ", Html.tag("b", answer))
 * }</pre>
 */
public final class Html {
    private static final Set<String> TAGS = Set.of("a", "article", "b", "br", "circle", "code", "dd", "details", "div",
            "dl", "dt", "em", "footer", "h1", "h2", "h3", "header", "li", "line", "main", "mark", "nav", "ol", "p",
            "polygon", "polyline", "pre", "rect", "section", "small", "span", "strong", "summary", "svg", "table",
            "tbody", "td", "text", "th", "thead", "time", "title", "tr", "ul");
    private static final Set<String> ATTRIBUTES = Set.of("aria-label", "class", "colspan", "cx", "cy", "data-label",
            "datetime", "height", "href", "id", "lang", "open", "points", "preserveAspectRatio", "r", "role", "scope",
            "tabindex", "title", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2");
    /** Elements without content. */
    private static final Set<String> VOID = Set.of("br");

    private final String name;
    private final StringBuilder attributes = new StringBuilder();
    private final StringBuilder content = new StringBuilder();

    private Html(String name) {
        this.name = name;
    }

    /**
     * An element.
     *
     * @param name its name
     * @param content what is in it, as {@link #add} takes it
     * @throws IllegalArgumentException where pages have no such element
     */
    public static Html tag(String name, Object... content) {
        if (!TAGS.contains(name)) {
            throw new IllegalArgumentException("pages have no element '" + name + "'; there are " + TAGS);
        }
        return new Html(name).add(content);
    }

    /** Parts beside each other, without an element around them. */
    public static Html all(Object... parts) {
        return new Html("").add(parts);
    }

    /** With a class of the style sheet, or several with blanks between them. */
    public Html css(String classes) {
        return with("class", classes);
    }

    /**
     * With an attribute; numbers that are no integers get two decimals.
     *
     * @throws IllegalArgumentException where pages have no such attribute, or a link leads out of the page
     */
    public Html with(String attribute, Object value) {
        if (name.isEmpty() || !ATTRIBUTES.contains(attribute)) {
            throw new IllegalArgumentException("pages have no attribute '" + attribute + "' in '" + name
                    + "'; there are " + ATTRIBUTES);
        }
        String text = value instanceof Double number ? String.format(Locale.ROOT, "%.2f", number) : value.toString();
        if (attribute.equals("href") && !text.startsWith("#")) {
            throw new IllegalArgumentException("the link '" + text + "' leads out of the page; it must begin with #");
        }
        attributes.append(' ').append(attribute).append("=\"");
        escape(text, attributes);
        attributes.append('"');
        return this;
    }

    /**
     * Adds to the content.
     *
     * @param parts {@code Html} as it is, collections and optionals part by part, all else as text
     */
    public Html add(Object... parts) {
        for (Object part : parts) {
            if (part instanceof Html html) {
                html.write(content);
            } else if (part instanceof Collection<?> several) {
                several.forEach(this::add);
            } else if (part instanceof Optional<?> optional) {
                optional.ifPresent(this::add);
            } else {
                escape(Objects.requireNonNull(part, "part").toString(), content);
            }
        }
        return this;
    }

    private void write(StringBuilder out) {
        if (name.isEmpty()) {
            out.append(content);
            return;
        }
        out.append('<').append(name).append(attributes).append('>');
        if (!VOID.contains(name)) {
            out.append(content).append("</").append(name).append('>');
        }
    }

    /** Characters that HTML does not have, such as half of a pair, are shown as the sign for an unknown one. */
    private static void escape(String text, StringBuilder out) {
        text.codePoints().forEach(c -> {
            switch (c) {
                case '&' -> out.append("&amp;");
                case '<' -> out.append("&lt;");
                case '>' -> out.append("&gt;");
                case '"' -> out.append("&quot;");
                case '\'' -> out.append("&#39;");
                default -> {
                    boolean control = Character.isISOControl(c) && c != '\n' && c != '\t';
                    out.appendCodePoint(control || c >= 0xd800 && c <= 0xdfff ? 0xfffd : c);
                }
            }
        });
    }

    /** The markup. */
    @Override
    public String toString() {
        StringBuilder out = new StringBuilder();
        write(out);
        return out.toString();
    }
}
