package io.peft4j.data.format;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;

/**
 * Characters of a file, no more than a line at once, so that a byte which is not UTF-8 is met when its own line is
 * read, and not before. It is reported by the {@link io.peft4j.core.error.DataException} of {@link Utf8Lines}.
 */
final class Utf8LineReader extends Reader {
    private final InputStream in;
    private final Utf8Lines lines;
    private String line = "";
    private int at;
    private long sinceRow;

    Utf8LineReader(Path file, InputStream in) {
        this.in = in;
        this.lines = new Utf8Lines(file, in, true);
    }

    /** Says that a row begins: no row may be longer than a line. */
    void rowBegins() {
        sinceRow = 0;
    }

    @Override
    public int read(char[] characters, int from, int length) throws IOException {
        Objects.checkFromIndexSize(from, length, characters.length);
        if (at == line.length()) {
            Optional<String> next = lines.next();
            if (next.isEmpty()) {
                return -1;
            }
            line = next.get() + "\n";
            sinceRow += line.length();
            if (sinceRow > Utf8Lines.LONGEST) {
                throw new LongLineException("is longer than " + (Utf8Lines.LONGEST >> 20) + " million characters; a "
                        + "quote that is opened in it may have no end");
            }
            at = 0;
        }
        int count = Math.min(length, line.length() - at);
        line.getChars(at, at + count, characters, from);
        at += count;
        return count;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
