package io.peft4j.core.safetensors;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import io.peft4j.core.io.AtomicFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes safetensors files that the reference implementation loads, in one step: afterwards the file is either complete
 * and new, or what was there before.
 *
 * <p>As in the reference implementation tensors are ordered by type, larger elements first so that all are aligned,
 * then by name. The same tensors give the same bytes as there.
 */
public final class SafetensorsWriter {
    /** What Hugging Face's libraries expect to find: the tensors are laid out as PyTorch's are. */
    public static final Map<String, String> PYTORCH = Map.of("format", "pt");
    private static final int ALIGNMENT = 8;

    private SafetensorsWriter() {
    }

    /**
     * Writes tensors with the metadata {@code {"format": "pt"}}.
     *
     * @throws UncheckedIOException when the file cannot be written; the old one, if any, is unchanged
     */
    public static void write(Path file, Map<String, TensorData> tensors) {
        write(file, tensors, PYTORCH);
    }

    /**
     * Writes tensors.
     *
     * @param metadata free-form texts; none are written when empty
     * @throws UncheckedIOException when the file cannot be written; the old one, if any, is unchanged
     * @throws IllegalArgumentException when a tensor is called {@code __metadata__}, which the format keeps for itself
     */
    public static void write(Path file, Map<String, TensorData> tensors, Map<String, String> metadata) {
        AtomicFiles.write(file, content(tensors, metadata));
    }

    /**
     * Writes the bytes of a file with these tensors and the metadata {@code {"format": "pt"}}.
     *
     * @throws IOException when that fails
     * @throws IllegalArgumentException when a tensor is called {@code __metadata__}, which the format keeps for itself
     */
    public static void write(OutputStream out, Map<String, TensorData> tensors) throws IOException {
        content(tensors, PYTORCH).writeTo(out);
    }

    private static AtomicFiles.Content content(Map<String, TensorData> tensors, Map<String, String> metadata) {
        if (tensors.containsKey("__metadata__")) {
            throw new IllegalArgumentException("A tensor cannot be called __metadata__");
        }
        List<Map.Entry<String, TensorData>> ordered = tensors.entrySet().stream()
                .sorted(Comparator.comparing((Map.Entry<String, TensorData> e) -> e.getValue().dtype())
                        .thenComparing(Map.Entry::getKey))
                .toList();
        byte[] header = header(ordered, metadata);
        return out -> {
            out.write(header);
            for (Map.Entry<String, TensorData> entry : ordered) {
                entry.getValue().writeTo(out);
            }
        };
    }

    /** The length, the JSON and the spaces that align the data. */
    private static byte[] header(List<Map.Entry<String, TensorData>> tensors, Map<String, String> metadata) {
        ByteArrayOutputStream json = new ByteArrayOutputStream();
        try {
            json.writeBytes(new byte[Long.BYTES]);
            writeJson(json, tensors, metadata);
            while (json.size() % ALIGNMENT != 0) {
                json.write(' ');
            }
        } catch (IOException e) {
            throw new UncheckedIOException("Cannot build the header", e);
        }
        byte[] header = json.toByteArray();
        ByteBuffer.wrap(header).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length - Long.BYTES);
        return header;
    }

    private static void writeJson(OutputStream out, List<Map.Entry<String, TensorData>> tensors,
            Map<String, String> metadata) throws IOException {
        try (JsonGenerator json = new JsonFactory().createGenerator(out)) {
            json.writeStartObject();
            if (!metadata.isEmpty()) {
                json.writeObjectFieldStart("__metadata__");
                for (Map.Entry<String, String> text : new TreeMap<>(metadata).entrySet()) {
                    json.writeStringField(text.getKey(), text.getValue());
                }
                json.writeEndObject();
            }
            long begin = 0;
            for (Map.Entry<String, TensorData> entry : tensors) {
                TensorData data = entry.getValue();
                long end = Math.addExact(begin, data.length());
                json.writeObjectFieldStart(entry.getKey());
                json.writeStringField("dtype", data.dtype().name());
                json.writeFieldName("shape");
                json.writeArray(data.shape(), 0, data.shape().length);
                json.writeFieldName("data_offsets");
                json.writeArray(new long[] {begin, end}, 0, 2);
                json.writeEndObject();
                begin = end;
            }
            json.writeEndObject();
        }
    }
}
