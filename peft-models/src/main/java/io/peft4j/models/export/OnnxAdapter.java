package io.peft4j.models.export;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.array.Float16;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterLayer;
import io.peft4j.core.peft.method.LowRankUpdate;
import io.peft4j.core.safetensors.TensorData;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * LoRA as ONNX Runtime loads it ({@code .onnx_adapter}) beside a model whose adapters Olive made inputs: {@code
 * PATH.lora_A.weight} [in, r] and {@code PATH.lora_B.weight} [r, out] of {@code y = base(x) + x A B}, in a FlatBuffer
 * with the identifier {@value #IDENTIFIER}. Its root {@code {version of the format, of the adapter, of the model,
 * parameters}} and each parameter {@code {name, dimensions, type, bytes}} are tables of four fields of four bytes.
 */
final class OnnxAdapter {
    /** What names of such files end with. */
    static final String ENDING = ".onnx_adapter";
    private static final String IDENTIFIER = "TORT";
    private static final String A = ".lora_A.weight";
    private static final String B = ".lora_B.weight";
    /** The place of the table of fields that all tables share. */
    private static final int FIELDS = 8;
    private static final int TABLE_BYTES = 20;
    private static final int FLOAT = 1;
    private static final int FLOAT16 = 10;

    private OnnxAdapter() {
    }

    // ---- writing

    /** Writes a file; the scale is brought into {@code lora_B}. */
    static void write(Path file, BaseModel base, Adapter adapter) {
        PlainLora.requireWritable("ONNX Runtime", base, adapter);
        Map<String, PlainLora.Matrix> parameters = new TreeMap<>();
        for (AdapterLayer layer : adapter.layers()) {
            String path = layer.slot().path();
            LowRankUpdate update = layer.lowRankUpdate().orElseThrow();
            if (update.embedding()) {
                throw new ConfigurationException("ONNX Runtime cannot apply this adapter: it has the embedding "
                        + path);
            }
            float[] b = Arrays.transposed(update.bValues(), update.outputs(), update.rank());
            for (int i = 0; i < b.length; i++) {
                b[i] *= (float) update.scaling();
            }
            parameters.put(name(path) + A, new PlainLora.Matrix(new long[] {update.inputs(), update.rank()},
                    Arrays.transposed(update.aValues(), update.rank(), update.inputs())));
            parameters.put(name(path) + B, new PlainLora.Matrix(new long[] {update.rank(), update.outputs()}, b));
        }
        AtomicFiles.writeBytes(file, bytes(parameters));
    }

    /** Olive shortens the prefix of Hugging Face PEFT where the path begins with {@code model}. */
    private static String name(String path) {
        return path.startsWith("model.") ? path : "base_model.model." + path;
    }

    private static byte[] bytes(Map<String, PlainLora.Matrix> parameters) {
        long size = 64;
        for (Map.Entry<String, PlainLora.Matrix> each : parameters.entrySet()) {
            size += 4L * each.getValue().values().length + 3L * each.getKey().length() + 80;
        }
        if (size > Integer.MAX_VALUE) {
            throw new ConfigurationException("ONNX Runtime cannot apply this adapter: its file would exceed 2 GB");
        }
        ByteBuffer out = ByteBuffer.allocate((int) size).order(ByteOrder.LITTLE_ENDIAN);
        out.putInt(FIELDS + 12).put(IDENTIFIER.getBytes(StandardCharsets.US_ASCII));
        out.putShort((short) 12).putShort((short) TABLE_BYTES);
        for (int field = 4; field < TABLE_BYTES; field += 4) {
            out.putShort((short) field);
        }
        out.putInt(12).putInt(1).putInt(1).putInt(1).putInt(4).putInt(parameters.size());
        int offsets = out.position();
        int tables = offsets + 4 * parameters.size();
        out.position(tables + TABLE_BYTES * parameters.size());
        int number = 0;
        for (Map.Entry<String, PlainLora.Matrix> each : parameters.entrySet()) {
            int table = tables + TABLE_BYTES * number;
            out.putInt(offsets + 4 * number, table - offsets - 4 * number++);
            out.putInt(table, table - FIELDS).putInt(table + 12, FLOAT);
            byte[] name = each.getKey().getBytes(StandardCharsets.UTF_8);
            begin(out, table + 4).putInt(name.length).put(name).put((byte) 0);
            begin(out, table + 8).putInt(2).putLong(each.getValue().shape()[0]).putLong(each.getValue().shape()[1]);
            begin(out, table + 16).putInt(4 * each.getValue().values().length);
            for (float value : each.getValue().values()) {
                out.putFloat(value);
            }
        }
        return java.util.Arrays.copyOf(out.array(), out.position());
    }

    /** Goes to where a vector may begin, whose elements lie at a multiple of 8, and notes the place in a field. */
    private static ByteBuffer begin(ByteBuffer out, int field) {
        int place = (out.position() + 4 + 7) / 8 * 8 - 4;
        out.putInt(field, place - field).position(place);
        return out;
    }

    // ---- reading

    /** The tensors and the configuration of Hugging Face PEFT's form, which are filled. */
    static void read(BaseModel base, Path file, ObjectNode config, Map<String, TensorData> tensors) {
        Map<String, PlainLora.Matrix> parameters;
        try {
            if (Files.size(file) > Integer.MAX_VALUE) {
                throw new FileFormatException(file, "is larger than 2 GB");
            }
            parameters = parameters(file, ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN));
        } catch (IndexOutOfBoundsException | IllegalArgumentException | ArithmeticException e) {
            throw new FileFormatException(file, "is damaged: a part of it lies outside of the file", e);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + e.getMessage(), e);
        }
        Map<String, PlainLora.Layer> layers = new TreeMap<>();
        parameters.forEach((name, right) -> {
            String stem = name.substring(0, Math.max(0, name.length() - A.length()));
            boolean first = name.endsWith(A);
            if (!first && !name.endsWith(B) || !parameters.containsKey(stem + (first ? B : A))) {
                throw new FileFormatException(file, "holds " + name + ", which is not one of a pair lora_A and lora_B");
            }
            if (first) {
                String path = stem.startsWith("base_model.model.") ? stem.substring(17) : stem;
                int rank = PlainLora.add(base, file, path, right, parameters.get(stem + B), tensors);
                layers.put(path, new PlainLora.Layer(rank, rank));
            }
        });
        PlainLora.describe(config, base, file, layers);
    }

    private static Map<String, PlainLora.Matrix> parameters(Path file, ByteBuffer in) {
        if (in.capacity() < FIELDS || !IDENTIFIER.equals(StandardCharsets.US_ASCII.decode(in.slice(4, 4)).toString())) {
            throw new FileFormatException(file, "is no adapter for ONNX Runtime");
        }
        int list = target(in, field(file, in, in.getInt(0), 3));
        Map<String, PlainLora.Matrix> parameters = new TreeMap<>();
        long left = in.capacity();
        for (int i = 0; i < in.getInt(list); i++) {
            int table = target(in, list + 4 + 4 * i);
            int name = target(in, field(file, in, table, 0));
            String key = StandardCharsets.UTF_8.decode(in.slice(name + 4, in.getInt(name))).toString();
            int dimensions = target(in, field(file, in, table, 1));
            long[] shape = new long[in.getInt(dimensions) == 2 ? 2 : 0];
            long elements = shape.length;
            for (int d = 0; d < shape.length; d++) {
                shape[d] = in.getLong(dimensions + 4 + 8 * d);
                elements = Math.multiplyExact(d == 0 ? 1 : elements, shape[d]);
            }
            int type = in.getInt(field(file, in, table, 2));
            int data = target(in, field(file, in, table, 3));
            int width = type == FLOAT ? 4 : 2;
            if (type != FLOAT && type != FLOAT16 || Math.multiplyExact(elements, width) != in.getInt(data)) {
                throw new FileFormatException(file, key + " is no matrix of 32 or 16 bit floating-point numbers");
            }
            left -= in.getInt(data);
            if (left < 0) {
                throw new FileFormatException(file, "has several parameters in one place");
            }
            ByteBuffer bytes = in.slice(data + 4, in.getInt(data)).order(ByteOrder.LITTLE_ENDIAN);
            float[] values = new float[(int) elements];
            for (int k = 0; k < values.length; k++) {
                values[k] = type == FLOAT ? bytes.getFloat() : Float16.toFloat(bytes.getShort());
            }
            parameters.put(key, new PlainLora.Matrix(shape, values));
        }
        return parameters;
    }

    /** Where a field of a table lies. */
    private static int field(Path file, ByteBuffer in, int table, int number) {
        int fields = table - in.getInt(table);
        int offset = 4 + 2 * number < in.getShort(fields) ? in.getShort(fields + 4 + 2 * number) : 0;
        if (offset <= 0) {
            throw new FileFormatException(file, "lacks a field that adapters have");
        }
        return table + offset;
    }

    private static int target(ByteBuffer in, int place) {
        return Math.addExact(place, in.getInt(place));
    }
}
