package io.peft4j.trackers;

import com.google.protobuf.CodedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;

/** A protobuf message that is written field by field, by the numbers of its definition. */
final class ProtoMessage {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    private final CodedOutputStream out = CodedOutputStream.newInstance(bytes);

    /** Writes to memory, which does not fail. */
    @FunctionalInterface
    private interface Field {
        void write() throws IOException;
    }

    private ProtoMessage write(Field field) {
        try {
            field.write();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    ProtoMessage text(int number, String value) {
        return write(() -> out.writeByteArray(number, value.getBytes(StandardCharsets.UTF_8)));
    }

    ProtoMessage whole(int number, long value) {
        return write(() -> out.writeInt64(number, value));
    }

    ProtoMessage single(int number, float value) {
        return write(() -> out.writeFloat(number, value));
    }

    ProtoMessage real(int number, double value) {
        return write(() -> out.writeDouble(number, value));
    }

    ProtoMessage message(int number, ProtoMessage value) {
        return write(() -> out.writeByteArray(number, value.toBytes()));
    }

    byte[] toBytes() {
        write(out::flush);
        return bytes.toByteArray();
    }
}
