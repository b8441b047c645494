package io.peft4j.data.format;

import io.peft4j.core.error.DataException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.Charset;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;

/**
 * Text of another encoding as UTF-8. What comes before bytes that are none of that encoding is read; they are then
 * reported with their line, and the stream ends.
 */
final class Utf8Stream extends InputStream {
    private static final int BUFFER = 1 << 14;

    private final Path file;
    private final InputStream in;
    private final Charset encoding;
    private final CharsetDecoder decoder;
    private final ByteBuffer source = ByteBuffer.allocate(BUFFER).limit(0);
    private final CharBuffer characters = CharBuffer.allocate(BUFFER);
    private ByteBuffer ready = ByteBuffer.allocate(0);
    private char half;
    private long line = 1;
    private boolean atEnd;
    private boolean checked;
    private boolean failed;

    Utf8Stream(Path file, InputStream in, Charset encoding) {
        this.file = file;
        this.in = in;
        this.encoding = encoding;
        this.decoder = encoding.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                .onUnmappableCharacter(CodingErrorAction.REPORT);
    }

    @Override
    public int read() throws IOException {
        byte[] one = new byte[1];
        return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int from, int length) throws IOException {
        Objects.checkFromIndexSize(from, length, bytes.length);
        while (length > 0 && !ready.hasRemaining()) {
            if (atEnd) {
                return -1;
            }
            fill();
        }
        int count = Math.min(length, ready.remaining());
        ready.get(bytes, from, count);
        return count;
    }

    private void fill() throws IOException {
        if (failed) {
            atEnd = true;
            throw new DataException(file, line, 0, "is not text in " + encoding + " from here on; name the "
                    + "encoding that the file was saved in", null);
        }
        source.compact();
        int count = in.read(source.array(), source.position(), source.remaining());
        source.position(source.position() + Math.max(0, count)).flip();
        requireNotUtf8();
        characters.clear();
        if (half != 0) {
            characters.put(half);
            half = 0;
        }
        CoderResult result = decoder.decode(source, characters, count < 0);
        if (count < 0 && result.isUnderflow()) {
            decoder.flush(characters);
            atEnd = true;
        }
        failed = result.isError();
        characters.flip();
        // A character of two halves is encoded when both are there.
        if (characters.hasRemaining() && Character.isHighSurrogate(characters.get(characters.limit() - 1))) {
            half = characters.get(characters.limit() - 1);
            characters.limit(characters.limit() - 1);
        }
        for (int i = 0; i < characters.limit(); i++) {
            line += characters.get(i) == '\n' ? 1 : 0;
        }
        ready = StandardCharsets.UTF_8.encode(characters);
    }

    /** Text in UTF-8 has a reading in most other encodings, too, but none that anybody means. */
    private void requireNotUtf8() {
        boolean ascii = true;
        for (int i = source.position(); i < source.limit(); i++) {
            ascii &= source.get(i) >= 0;
        }
        if (checked || ascii) {
            return;
        }
        checked = true;
        // The last character may be cut off, which is no error here.
        CoderResult read = StandardCharsets.UTF_8.newDecoder().onMalformedInput(CodingErrorAction.REPORT)
                .decode(source.duplicate(), CharBuffer.allocate(source.remaining()), false);
        if (!read.isError()) {
            atEnd = true;
            throw new DataException(file, line, 0, "is UTF-8 text, but is read as " + encoding + "; name no "
                    + "encoding, or use one encoding for all files", null);
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
