package io.peft4j.parquet.internal;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.ZoneOffset;
import java.util.Optional;
import java.util.UUID;
import org.apache.parquet.schema.LogicalTypeAnnotation.DateLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.DecimalLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimeUnit;
import org.apache.parquet.schema.LogicalTypeAnnotation.TimestampLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.UUIDLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation;

/** Numbers, dates and times as JSON has them: whole numbers as small as they fit, dates and times in ISO 8601. */
final class Scalars {
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
        Instant instant = Instant.ofEpochSecond(Math.floorDiv(value, per), Math.floorMod(value, per) * (NANOS / per));
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
