package io.peft4j.report.support;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/**
 * A page: a title, and {@link Blocks} below each other. It is one file: its style is in it, and it tells the
 * browser to load and run nothing.
 */
public final class Page {
    private final Html title;
    private final Html main = Html.tag("main");

    private Page(String title) {
        this.title = Html.tag("title", title);
    }

    /** A page with this title in the browser's tab. */
    public static Page titled(String title) {
        return new Page(title);
    }

    /** Adds blocks. */
    public Page add(Html... blocks) {
        for (Html block : blocks) {
            main.add(block, "\n");
        }
        return this;
    }

    /** The page as it is to be written to a file, in UTF-8. */
    public String html() {
        return """
                <!DOCTYPE html>
                <html lang="en">
                <head>
                <meta charset="utf-8">
                <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
                <meta name="viewport" content="width=device-width, initial-scale=1">
                """ + title + "\n<style>\n" + style() + "</style>\n</head>\n<body>\n" + main + "\n</body>\n</html>\n";
    }

    private static String style() {
        try (InputStream in = Page.class.getResourceAsStream("page.css")) {
            if (in == null) {
                throw new FileNotFoundException("missing from the jar");
            }
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the style of pages", e);
        }
    }
}
