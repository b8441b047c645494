package io.peft4j.parquet;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.MapLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.StringLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.Type;

/** Makes JSON-like values of a row. A null is an absent key: a table does not distinguish the two. */
final class RowValues {
    private final Expansion expansion;

    /** The rows of a file whose content has this bound. */
    RowValues(Expansion expansion) {
        this.expansion = expansion;
    }

    /**
     * The fields of a row or struct.
     *
     * @throws DamageException when a text is not UTF-8
     */
    Map<String, Object> of(Group group) {
        SimpleGroup row = (SimpleGroup) group;
        Map<String, Object> fields = new LinkedHashMap<>();
        for (int i = 0; i < row.getType().getFieldCount(); i++) {
            field(row, i).ifPresent(put(fields, row.getType().getFieldName(i)));
        }
        return fields;
    }

    private static java.util.function.Consumer<Object> put(Map<String, Object> fields, String name) {
        return value -> fields.put(name, value);
    }

    private Optional<Object> field(SimpleGroup row, int index) {
        int count = row.getFieldRepetitionCount(index);
        if (row.getType().getType(index).isRepetition(Type.Repetition.REPEATED)) {
            List<Object> values = new ArrayList<>();
            for (int i = 0; i < count; i++) {
                values.add(value(row, index, i));
            }
            return Optional.of(values);
        }
        return count == 0 ? Optional.empty() : Optional.of(value(row, index, 0));
    }

    private Object value(SimpleGroup row, int index, int place) {
        Type type = row.getType().getType(index);
        if (type.isPrimitive()) {
            return primitive(row, index, place, type.asPrimitiveType());
        }
        SimpleGroup group = (SimpleGroup) expansion.counted(row.getGroup(index, place));
        LogicalTypeAnnotation kind = type.getLogicalTypeAnnotation();
        boolean wrapped = group.getType().getFieldCount() == 1
                && group.getType().getType(0).isRepetition(Type.Repetition.REPEATED);
        if (wrapped && kind instanceof ListLogicalTypeAnnotation) {
            return list(group, type.getName());
        }
        return wrapped && isMap(kind, group) ? map(group) : of(group);
    }

    private static boolean isMap(LogicalTypeAnnotation kind, SimpleGroup group) {
        return (kind instanceof MapLogicalTypeAnnotation
                || kind instanceof LogicalTypeAnnotation.MapKeyValueTypeAnnotation)
                && !group.getType().getType(0).isPrimitive()
                && group.getType().getType(0).asGroupType().getFieldCount() == 2;
    }

    /** The rules by which old and new writers wrap the elements of a list (LogicalTypes.md of the Parquet format). */
    private List<Object> list(SimpleGroup list, String name) {
        Type repeated = list.getType().getType(0);
        boolean element = repeated.isPrimitive() || repeated.asGroupType().getFieldCount() != 1
                || repeated.getName().equals("array") || repeated.getName().equals(name + "_tuple");
        List<Object> values = new ArrayList<>();
        for (int i = 0; i < list.getFieldRepetitionCount(0); i++) {
            values.add(element ? value(list, 0, i) : field((SimpleGroup) list.getGroup(0, i), 0).orElse(null));
        }
        return values;
    }

    private Map<String, Object> map(SimpleGroup map) {
        Map<String, Object> values = new LinkedHashMap<>();
        for (int i = 0; i < map.getFieldRepetitionCount(0); i++) {
            SimpleGroup entry = (SimpleGroup) map.getGroup(0, i);
            String key = field(entry, 0).map(Object::toString)
                    .orElseThrow(() -> new DamageException("has a map with an entry that has no key"));
            values.put(key, field(entry, 1).orElse(null));
        }
        return values;
    }

    private Object primitive(SimpleGroup row, int index, int place, PrimitiveType type) {
        return expansion.<Object>counted(switch (type.getPrimitiveTypeName()) {
            case BOOLEAN -> row.getBoolean(index, place);
            case INT32 -> Scalars.ofInt(row.getInteger(index, place), type.getLogicalTypeAnnotation());
            case INT64 -> Scalars.ofLong(row.getLong(index, place), type.getLogicalTypeAnnotation());
            case FLOAT -> Double.parseDouble(Float.toString(row.getFloat(index, place)));
            case DOUBLE -> row.getDouble(index, place);
            case INT96 -> Scalars.ofInt96(row.getInt96(index, place).getBytes());
            case BINARY, FIXED_LEN_BYTE_ARRAY -> bytes(bytesOf(row.getBinary(index, place)), type);
        });
    }

    /** A length that a damaged page gives may be anything: the buffer refuses it before memory is taken for it. */
    private static byte[] bytesOf(Binary binary) {
        ByteBuffer buffer = binary.toByteBuffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return bytes;
    }

    private static Object bytes(byte[] bytes, PrimitiveType type) {
        LogicalTypeAnnotation kind = type.getLogicalTypeAnnotation();
        Optional<Object> scalar = Scalars.ofBytes(bytes, kind);
        if (scalar.isPresent()) {
            return scalar.get();
        }
        try {
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException e) {
            if (kind instanceof StringLogicalTypeAnnotation) {
                throw new DamageException("the column " + type.getName() + " holds text that is not UTF-8");
            }
            // Bytes that are not text, such as a picture, are written as JSON writes them.
            return Base64.getEncoder().encodeToString(bytes);
        }
    }

    /** Numbers, dates and times as JSON has them: whole numbers as small as they fit, dates and times in ISO 8601. */
    private static final class Scalars {
        private static final long JULIAN_DAY_OF_EPOCH = 2_440_588;
        private static final long NANOS = 1_000_000_000L;

        private Scalars() {
        }

        static Object ofInt(int value, LogicalTypeAnnotation kind) {
            if (kind instanceof DateLogicalTypeAnnotation) {
                return LocalDate.ofEpochDay(value).toString();
            }
            return kind instanceof IntLogicalTypeAnnotation number && !number.isSigned()
                    ? ofLong(Integer.toUnsignedLong(value), null) : ofLong(value, kind);
        }

        static Object ofLong(long value, LogicalTypeAnnotation kind) {
            if (kind instanceof DecimalLogicalTypeAnnotation decimal) {
                return BigDecimal.valueOf(value, decimal.getScale());
            }
            if (kind instanceof TimestampLogicalTypeAnnotation time) {
                return timestamp(value, time);
            }
            if (kind instanceof TimeLogicalTypeAnnotation time) {
                return LocalTime.ofNanoOfDay(Math.multiplyExact(value, NANOS / perSecond(time.getUnit()))).toString();
            }
            if (kind instanceof IntLogicalTypeAnnotation number && !number.isSigned() && value < 0) {
                return new BigInteger(Long.toUnsignedString(value));
            }
            // As JSON is read: an Integer where it fits.
            if (value == (int) value) {
                return (int) value;
            }
            return value;
        }

        private static long perSecond(TimeUnit unit) {
            return switch (unit) {
                case MILLIS -> 1_000;
                case MICROS -> 1_000_000;
                case NANOS -> NANOS;
            };
        }

        private static String timestamp(long value, TimestampLogicalTypeAnnotation kind) {
            long per = perSecond(kind.getUnit());
            Instant instant = Instant.ofEpochSecond(Math.floorDiv(value, per),
                    Math.floorMod(value, per) * (NANOS / per));
            return kind.isAdjustedToUTC() ? instant.toString() : instant.atOffset(ZoneOffset.UTC).toLocalDateTime()
                    .toString();
        }

        /** The old form of a time: nanoseconds of the day, then the Julian day. */
        static String ofInt96(byte[] bytes) {
            ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
            long nanos = buffer.getLong();
            long days = buffer.getInt() - JULIAN_DAY_OF_EPOCH;
            return Instant.ofEpochSecond(days * 86_400, nanos).toString();
        }

        /** The value of bytes that are neither text nor anything else. */
        static Optional<Object> ofBytes(byte[] bytes, LogicalTypeAnnotation kind) {
            if (kind instanceof DecimalLogicalTypeAnnotation decimal) {
                return Optional.of(new BigDecimal(new BigInteger(bytes), decimal.getScale()));
            }
            if (kind instanceof UUIDLogicalTypeAnnotation && bytes.length == 16) {
                ByteBuffer buffer = ByteBuffer.wrap(bytes);
                return Optional.of(new UUID(buffer.getLong(), buffer.getLong()).toString());
            }
            return Optional.empty();
        }
    }
}
