package io.peft4j.core.gguf;

import io.peft4j.core.error.FileFormatException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * Walks over the head of a file. What is read must fit into what is left, and is checked before it is used or
 * allocated.
 */
final class GgufCursor {
    /** The format allows arrays of arrays without a limit, real files have none; the stack is finite. */
    private static final int MAX_NESTING = 8;

    private final Path file;
    private final ByteBuffer head;

    /**
     * A cursor at the start.
     *
     * @param head its bytes, little-endian
     */
    GgufCursor(Path file, ByteBuffer head) {
        this.file = file;
        this.head = head;
    }

    int position() {
        return head.position();
    }

    long u32(String what) {
        need(4, what);
        return head.getInt() & 0xffffffffL;
    }

    long i64(String what) {
        need(8, what);
        return head.getLong();
    }

    /** A count of things that take at least so many bytes each; more than can follow is an error. */
    int count(String what, int bytesEach) {
        long count = i64("the number of " + what);
        if (count < 0 || count > head.remaining() / bytesEach) {
            throw wrong("the header claims " + Long.toUnsignedString(count) + " " + what + ", but only "
                    + head.remaining()
                    + " bytes follow");
        }
        return (int) count;
    }

    String string(String what) {
        int length = count("bytes of " + what, 1);
        ByteBuffer bytes = head.slice(head.position(), length);
        head.position(head.position() + length);
        return decode(bytes, what);
    }

    GgufType type(String what) {
        long id = u32("the type of " + what);
        return GgufType.of(id).orElseThrow(() -> wrong(what + " has the unknown type " + id));
    }

    /** Steps over a value and checks its structure. */
    void skip(GgufType type, String what) {
        skip(type, what, 0);
    }

    private void skip(GgufType type, String what, int depth) {
        switch (type) {
            case STRING -> advance(count("bytes of " + what, 1));
            case ARRAY -> skipArray(what, depth);
            default -> {
                need(type.minimumBytes(), what);
                advance(type.minimumBytes());
            }
        }
    }

    private void skipArray(String what, int depth) {
        if (depth == MAX_NESTING) {
            throw wrong(what + " has arrays nested more than " + MAX_NESTING + " deep");
        }
        GgufType element = type("the elements of " + what);
        int count = count("elements of " + what, element.minimumBytes());
        if (element != GgufType.STRING && element != GgufType.ARRAY) {
            advance(count * element.minimumBytes());
            return;
        }
        for (int i = 0; i < count; i++) {
            skip(element, what, depth + 1);
        }
    }

    private void advance(int bytes) {
        head.position(head.position() + bytes);
    }

    private void need(int bytes, String what) {
        if (head.remaining() < bytes) {
            throw wrong("the file ends at byte " + head.limit() + " inside " + what
                    + "; it is truncated, download it again");
        }
    }

    private String decode(ByteBuffer bytes, String what) {
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
        } catch (CharacterCodingException e) {
            throw new FileFormatException(file, what + " is not UTF-8", e);
        }
    }

    FileFormatException wrong(String message) {
        return new FileFormatException(file, message);
    }
}
