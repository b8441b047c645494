package io.peft4j.core.gguf;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.error.SimilarNames;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The metadata of a GGUF file: values by key, {@code "llama.block_count"} for example. Values are decoded when they are
 * asked for. A key that is missing, a value of another type and text that is not UTF-8 are {@link FileFormatException}s
 * that name the key. It stays usable after the file is closed.
 */
public final class GgufMetadata {
    private final Path file;
    private final ByteBuffer head;
    private final Map<String, Entry> entries;

    GgufMetadata(Path file, ByteBuffer head, Map<String, Entry> entries) {
        this.file = file;
        this.head = head;
        this.entries = entries;
    }

    /** Where a value lies, whose structure has been checked. */
    record Entry(GgufType type, int position) {
    }

    /**
     * All keys.
     *
     * @return an unmodifiable set in the order of the file
     */
    public Set<String> keys() {
        return Collections.unmodifiableSet(entries.keySet());
    }

    /** Whether there is a value. */
    public boolean has(String key) {
        return entries.containsKey(key);
    }

    /** The type of a value. */
    public GgufType type(String key) {
        return entry(key).type();
    }

    /** A text. */
    public String string(String key) {
        return (String) value(key, "a string", GgufType.STRING);
    }

    /** A text that may be missing. */
    public String string(String key, String fallback) {
        return has(key) ? string(key) : fallback;
    }

    /** An integer of any width. */
    public long integer(String key) {
        GgufType type = type(key);
        if (!type.isInteger()) {
            throw mismatch(key, type.toString(), "an integer");
        }
        return toLong(key, value(key));
    }

    /** An integer of any width that may be missing. */
    public long integer(String key, long fallback) {
        return has(key) ? integer(key) : fallback;
    }

    /** A number, float or integer. */
    public double floating(String key) {
        GgufType type = type(key);
        if (!type.isFloating() && !type.isInteger()) {
            throw mismatch(key, type.toString(), "a number");
        }
        return ((Number) value(key)).doubleValue();
    }

    /** A number, float or integer, that may be missing. */
    public double floating(String key, double fallback) {
        return has(key) ? floating(key) : fallback;
    }

    /** A truth value. */
    public boolean bool(String key) {
        return (Boolean) value(key, "a boolean", GgufType.BOOL);
    }

    /** A truth value that may be missing. */
    public boolean bool(String key, boolean fallback) {
        return has(key) ? bool(key) : fallback;
    }

    /** A list of texts. */
    public List<String> strings(String key) {
        List<String> strings = new ArrayList<>();
        for (Object value : array(key, "an array of strings")) {
            if (!(value instanceof String string)) {
                throw mismatch(key, "an array of another type", "an array of strings");
            }
            strings.add(string);
        }
        return Collections.unmodifiableList(strings);
    }

    /** A list of integers of any width. */
    public long[] integers(String key) {
        return array(key, "an array of integers").stream().mapToLong(value -> {
            if (!(value instanceof Long || value instanceof BigInteger)) {
                throw mismatch(key, "an array of another type", "an array of integers");
            }
            return toLong(key, value);
        }).toArray();
    }

    /**
     * A list of numbers, floats or integers.
     *
     * @return its values, rounded to the nearest float
     */
    public float[] floats(String key) {
        List<?> values = array(key, "an array of numbers");
        float[] floats = new float[values.size()];
        for (int i = 0; i < floats.length; i++) {
            if (!(values.get(i) instanceof Number number)) {
                throw mismatch(key, "an array of another type", "an array of numbers");
            }
            floats[i] = number.floatValue();
        }
        return floats;
    }

    /**
     * A value of any type.
     *
     * @return a String, Boolean, Long, Float, Double, an unmodifiable List of these, or a BigInteger where an unsigned
     *     integer is larger than a Long
     */
    public Object value(String key) {
        Entry entry = entry(key);
        ByteBuffer at = head.duplicate().order(ByteOrder.LITTLE_ENDIAN).position(entry.position());
        return decode(entry.type(), at, key);
    }

    private Object value(String key, String asked, GgufType expected) {
        GgufType type = type(key);
        if (type != expected) {
            throw mismatch(key, type.toString(), asked);
        }
        return value(key);
    }

    private List<?> array(String key, String asked) {
        return (List<?>) value(key, asked, GgufType.ARRAY);
    }

    private Object decode(GgufType type, ByteBuffer at, String key) {
        return switch (type) {
            case UINT8 -> at.get() & 255L;
            case INT8 -> (long) at.get();
            case UINT16 -> at.getShort() & 65535L;
            case INT16 -> (long) at.getShort();
            case UINT32 -> at.getInt() & 0xffffffffL;
            case INT32 -> (long) at.getInt();
            case INT64 -> at.getLong();
            case UINT64 -> unsigned(at.getLong());
            case FLOAT32 -> at.getFloat();
            case FLOAT64 -> at.getDouble();
            case BOOL -> at.get() != 0;
            case STRING -> new GgufCursor(file, at).string("the value of '" + key + "'");
            case ARRAY -> elements(at, key);
        };
    }

    private List<Object> elements(ByteBuffer at, String key) {
        GgufCursor cursor = new GgufCursor(file, at);
        GgufType type = cursor.type(key);
        int count = cursor.count(key, type.minimumBytes());
        List<Object> values = new ArrayList<>(count);
        for (int i = 0; i < count; i++) {
            values.add(decode(type, at, key));
        }
        return Collections.unmodifiableList(values);
    }

    private static Object unsigned(long bits) {
        if (bits >= 0) {
            return bits;
        }
        return new BigInteger(Long.toUnsignedString(bits));
    }

    private long toLong(String key, Object value) {
        if (value instanceof BigInteger) {
            throw new FileFormatException(file, "the value of '" + key + "', " + value
                    + ", is implausibly large");
        }
        return (Long) value;
    }

    private Entry entry(String key) {
        Entry entry = entries.get(key);
        if (entry == null) {
            throw new FileFormatException(file, "no metadata key '" + key + "'; "
                    + SimilarNames.sentence(key, entries.keySet()));
        }
        return entry;
    }

    private FileFormatException mismatch(String key, String found, String asked) {
        return new FileFormatException(file,
                "the metadata key '" + key + "' is " + found + ", expected " + asked);
    }
}
