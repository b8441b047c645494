package io.peft4j.models.gguf;

import io.peft4j.core.error.FileFormatException;
import io.peft4j.core.gguf.GgufFile;
import io.peft4j.core.io.Closer;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.SentencePooling;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The tensors of a GGUF file under Hugging Face's names and with its values, as the {@link GgufForm} of the family
 * says: rows in its order, the experts apart, matrices turned and norms without llama.cpp's 1 if there is a
 * difference.
 */
public final class GgufCheckpoint implements TensorStore {
    /** More than any model has; what a damaged file might claim is not listed one by one. */
    private static final long MOST_EXPERTS = 1 << 12;
    /** Half of the rows of a matrix. */
    private static final Pattern HALF = Pattern.compile("(.*)\\.([01])\\.weight");
    private static final Pattern LAYER = Pattern.compile("blk\\.(\\d{1,6})\\..*");
    /** How many tensors a message names. */
    private static final int NAMED = 5;

    private final GgufFile file;
    private final ModelConfig config;
    private final GgufForm form;
    private final GgufRowOrder order;
    private final Map<String, GgufTensor> places = new LinkedHashMap<>();

    private GgufCheckpoint(GgufFile file) {
        this.file = file;
        Architecture architecture = Architectures.of(file);
        GgufForm family = architecture.gguf().orElseThrow();
        this.config = GgufConfig.of(file, architecture, family);
        this.form = family.of(config);
        this.order = new GgufRowOrder(config, form);
        List<String> unknown = new ArrayList<>();
        for (String name : file.names()) {
            if (!GgufRotary.owns(name) && !isOfDraft(name)) {
                form.toHuggingFace(name).ifPresentOrElse(hf -> add(hf, name), () -> unknown.add(name));
            }
        }
        if (!unknown.isEmpty()) {
            throw new FileFormatException(file.path(), "has tensors that are not supported for the architecture "
                    + form.architecture() + " and change the results ("
                    + unknown.size() + "): " + String.join(", ", unknown.subList(0, Math.min(NAMED, unknown.size()))));
        }
    }

    /** Layers behind the last only draft tokens ahead. */
    private boolean isOfDraft(String name) {
        Matcher layer = LAYER.matcher(name);
        return file.metadata().integer(form.architecture() + ".nextn_predict_layers", 0) > 0 && layer.matches()
                && Integer.parseInt(layer.group(1)) >= config.positive(form.configKey("block_count"));
    }

    private void add(String name, String gguf) {
        if (file.blockType(gguf).isEmpty()) {
            throw file.unreadable(gguf);
        }
        long[] shape = shape(name, gguf);
        if (!name.contains("#")) {
            put(name, new GgufPlace(file, name, gguf, 0, shape, order, order.values(name),
                    form.has(GgufDifference.TRANSPOSED, name)));
            return;
        }
        if (shape.length < 2 || shape[0] > MOST_EXPERTS) {
            throw new FileFormatException(file.path(), "tensor '" + gguf + "' has the shape "
                    + java.util.Arrays.toString(shape) + "; expected that of up to " + MOST_EXPERTS + " experts");
        }
        long[] ofExpert = java.util.Arrays.copyOfRange(shape, 1, shape.length);
        for (int expert = 0; expert < shape[0]; expert++) {
            places.put(name.replace("#", String.valueOf(expert)),
                    new GgufPlace(file, name, gguf, expert, ofExpert, null));
        }
    }

    /** Adds a tensor, or a half of one to the other. */
    private void put(String name, GgufPlace place) {
        Matcher half = HALF.matcher(name);
        if (!half.matches() || !form.has(GgufDifference.HALVED, half.group(1) + ".weight")) {
            places.put(name, place);
            return;
        }
        boolean isFirst = half.group(2).equals("0");
        places.merge(half.group(1) + ".weight", place,
                (other, own) -> isFirst ? new GgufHalves(own, other) : new GgufHalves(other, own));
    }

    private long[] shape(String name, String gguf) {
        long[] shape = file.shape(gguf);
        if (shape.length == 1 && form.has(GgufDifference.ONE_ROW, name)) {
            return new long[] {1, shape[0]};
        }
        if (shape.length == 2 && form.has(GgufDifference.IN_ROWS, name)) {
            return new long[] {shape[0] * shape[1]};
        }
        return shape.length == 2 && form.has(GgufDifference.ONE_CHANNEL, name)
                ? new long[] {shape[0], 1, shape[1]} : shape;
    }

    /**
     * Takes over an open file; closing the checkpoint closes it.
     *
     * @throws FileFormatException when the architecture is not supported, metadata is missing, or a tensor is of a type
     *     that cannot be read or has no place in the model
     */
    public static GgufCheckpoint of(GgufFile file) {
        try (Closer opened = new Closer()) {
            opened.add(file);
            GgufCheckpoint checkpoint = new GgufCheckpoint(file);
            opened.keep();
            return checkpoint;
        }
    }

    /** The configuration with the keys of {@code config.json}. */
    public ModelConfig config() {
        return config;
    }

    /**
     * How an encoder's hidden states become one vector; the mean where the file does not say.
     *
     * @throws FileFormatException when it is a way that is not known
     */
    public SentencePooling pooling() {
        return GgufPooling.read(file, form.architecture());
    }

    @Override
    public Path path() {
        return file.path();
    }

    @Override
    public Set<String> names() {
        return Collections.unmodifiableSet(places.keySet());
    }

    @Override
    public long[] shape(String name) {
        return place(name).shape();
    }

    @Override
    public Optional<BlockType> blockType(String name) {
        return Optional.of(place(name).type());
    }

    @Override
    public long length(String name) {
        return place(name).length();
    }

    @Override
    public void readBytes(String name, long position, byte[] target, int offset, int count) {
        place(name).readBytes(position, target, offset, count);
    }

    @Override
    public void readFloats(String name, long first, float[] target, int offset, int count) {
        place(name).readFloats(first, target, offset, count);
    }

    @Override
    public ByteBuffer bytes(String name) {
        byte[] copy = new byte[Math.toIntExact(length(name))];
        readBytes(name, 0, copy, 0, copy.length);
        return ByteBuffer.wrap(copy).order(ByteOrder.LITTLE_ENDIAN).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
    }

    @Override
    public OptionalLong address(String name) {
        return place(name).address();
    }

    @Override
    public void close() {
        file.close();
    }

    private GgufTensor place(String name) {
        GgufTensor place = places.get(name);
        if (place == null) {
            throw new IllegalArgumentException(path() + " has no tensor for " + name);
        }
        return place;
    }

    /**
     * A matrix whose first and last rows are tensors of their own in a file.
     *
     * @param first the first rows
     * @param second the last rows, as many
     */
    record GgufHalves(GgufTensor first, GgufTensor second) implements GgufTensor {
        @Override
        public long[] shape() {
            long[] shape = first.shape();
            shape[0] += second.shape()[0];
            return shape;
        }

        @Override
        public BlockType type() {
            return first.type() == second.type() ? first.type() : BlockType.F32;
        }

        @Override
        public long length() {
            return type() == first.type() ? first.length() + second.length() : type().bytes(2 * elements());
        }

        /** Elements of a half. */
        private long elements() {
            return first.shape()[0] * first.shape()[1];
        }

        @Override
        public OptionalLong address() {
            return OptionalLong.empty();
        }

        @Override
        public void readBytes(long position, byte[] target, int offset, int count) {
            Objects.checkFromIndexSize(position, (long) count, length());
            if (first.type() != second.type()) {
                encode(position, target, offset, count);
                return;
            }
            int early = within(first.length(), position, count);
            if (early > 0) {
                first.readBytes(position, target, offset, early);
            }
            if (early < count) {
                second.readBytes(position + early - first.length(), target, offset + early, count - early);
            }
        }

        @Override
        public void readFloats(long from, float[] target, int offset, int count) {
            int early = within(elements(), from, count);
            if (early > 0) {
                first.readFloats(from, target, offset, early);
            }
            if (early < count) {
                second.readFloats(from + early - elements(), target, offset + early, count - early);
            }
        }

        /** How many of {@code count} from {@code from} on lie below a bound. */
        private static int within(long bound, long from, int count) {
            return (int) Math.max(0, Math.min(count, bound - from));
        }
    }
}
