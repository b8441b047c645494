package io.peft4j.models.export;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.nn.WeightedLayer;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * Writes a tuned model into GGUF files of few bits in the smallest way that passes a proof: base and adapter merged;
 * merged, and the matrices that the adapter changes in 8 bits; the adapter as a file of its own beside the base.
 *
 * <pre>{@code
 * SmallestExport.Result written = SmallestExport.of(model, BlockType.Q4_0, check).toGguf(Path.of("my.gguf"));
 * }</pre>
 */
@Internal(shared = true)
public final class SmallestExport {
    private static final BlockType MORE_BITS = BlockType.Q8_0;

    private final PeftModel model;
    private final BlockType type;
    private final Consumer<LanguageModel> proof;
    private IfExists ifExists = IfExists.FAIL;

    /** A way in which a tuned model is written. */
    public enum Way {
        /** Base and adapter as one file of one type. */
        MERGED("merged"),
        /** The same with the matrices that the adapter changes in Q8_0. */
        ADAPTED_IN_8_BITS("merged, the matrices that the adapter changes in q8_0"),
        /** The base, and the adapter as a file of its own. */
        BESIDE("the adapter beside the base");

        private final String words;

        Way(String words) {
            this.words = words;
        }

        @Override
        public String toString() {
            return words;
        }
    }

    /**
     * What was written.
     *
     * @param way how
     * @param report the file of the model, for {@link Way#BESIDE} of the base
     * @param adapter the file of the adapter, for {@link Way#BESIDE}
     * @param refused the ways that were tried before, and why each was refused
     */
    public record Result(Way way, ModelExport.ExportReport report, Optional<Path> adapter, Map<Way, String> refused) {
        /** Refuses null. */
        public Result {
            Objects.requireNonNull(adapter, "adapter");
            refused = new LinkedHashMap<>(refused);
        }
    }

    private SmallestExport(PeftModel model, BlockType type, Consumer<LanguageModel> proof) {
        this.model = model;
        this.type = Objects.requireNonNull(type, "type");
        this.proof = Objects.requireNonNull(proof, "proof");
    }

    /**
     * An export.
     *
     * @param model a base that was loaded in f32, with one adapter that is called
     *     {@value PeftModel#DEFAULT_ADAPTER}
     * @param type type of the matrices, see {@link ModelExport#type}
     * @param proof is given what was written, read back; a {@link ConfigurationException} refuses it
     */
    public static SmallestExport of(PeftModel model, BlockType type, Consumer<LanguageModel> proof) {
        return new SmallestExport(model, type, proof);
    }

    /**
     * What happens where a file is there already; default {@link IfExists#FAIL}. {@link IfExists#OVERWRITE} also
     * removes the adapter {@link #beside} a base that is replaced by a merged file.
     */
    public SmallestExport ifExists(IfExists value) {
        ifExists = Objects.requireNonNull(value, "value");
        return this;
    }

    /** The file of the adapter beside one of the base: {@code my-adapter.gguf} beside {@code my.gguf}. */
    public static Path beside(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(dot > 0 ? name.substring(0, dot) + "-adapter" + name.substring(dot)
                : name + "-adapter");
    }

    /**
     * Writes the first way that passes, in the order of their sizes.
     *
     * @param wanted a file that does not exist, or as {@link #ifExists} says
     * @throws ConfigurationException when none passes, with the reason of each; nothing is written then
     * @throws UncheckedIOException when a file cannot be written
     */
    public Result toGguf(Path wanted) {
        Path file = ifExists.choose(wanted);
        Path beside = ifExists == IfExists.OVERWRITE ? beside(file) : IfExists.FAIL.choose(beside(file));
        Map<Way, String> refused = new LinkedHashMap<>();
        try {
            Path folder = Files.createTempDirectory(file.toAbsolutePath().getParent(), ".peft4j");
            try {
                Path adapter = folder.resolve("adapter.gguf");
                for (Way way : ways(adapter, refused)) {
                    try {
                        ModelExport.ExportReport report = write(way, file, adapter);
                        if (way != Way.BESIDE) {
                            if (ifExists == IfExists.OVERWRITE) {
                                // That of an earlier export would be added to what is merged.
                                Files.deleteIfExists(beside);
                            }
                            return new Result(way, report, Optional.empty(), refused);
                        }
                        Files.move(adapter, beside, StandardCopyOption.REPLACE_EXISTING);
                        return new Result(way, report, Optional.of(beside), refused);
                    } catch (ConfigurationException e) {
                        refused.put(way, e.getMessage());
                    }
                }
            } finally {
                AtomicFiles.delete(folder);
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
        StringBuilder reasons = new StringBuilder("no way of writing it as " + type + " keeps enough");
        refused.forEach((way, reason) -> reasons.append("\n  ").append(way).append(": ").append(reason));
        throw new ConfigurationException(reasons.toString());
    }

    private ModelExport.ExportReport write(Way way, Path file, Path adapter) {
        ModelExport export = way == Way.BESIDE ? ModelExport.of(ModelExport.base(model)) : ModelExport.of(model);
        if (way == Way.ADAPTED_IN_8_BITS) {
            export.adaptedType(MORE_BITS);
        }
        IfExists chosen = ifExists == IfExists.OVERWRITE ? ifExists : IfExists.FAIL;
        return export.type(type).ifExists(chosen).proof(written -> {
            if (way == Way.BESIDE) {
                proveWith(written, adapter);
            } else {
                proof.accept(written);
            }
        }).toGguf(file);
    }

    private void proveWith(BaseModel written, Path adapter) {
        Path folder = adapter.resolveSibling("read-back");
        AdapterImport.fromGguf(written, adapter, folder);
        try (PeftModel again = written.withAdapter(folder)) {
            proof.accept(again);
        }
    }

    /** The ways that are possible, the smallest first; writes the adapter's file. */
    private List<Way> ways(Path adapter, Map<Way, String> refused) throws IOException {
        Map<Way, Long> sizes = new LinkedHashMap<>();
        sizes.put(Way.MERGED, 0L);
        long narrow = type.bytes(MORE_BITS.blockSize());
        if (narrow < MORE_BITS.blockBytes()) {
            sizes.put(Way.ADAPTED_IN_8_BITS, model.adapter(PeftModel.DEFAULT_ADAPTER).layers().stream()
                    .flatMap(layer -> layer.slot().layer() instanceof WeightedLayer own ? own.matrix().stream()
                            : Stream.empty())
                    .mapToLong(matrix -> (long) matrix.rows() * matrix.columns() / MORE_BITS.blockSize()).sum()
                    * (MORE_BITS.blockBytes() - narrow));
        }
        try {
            AdapterExport.toGguf(model, PeftModel.DEFAULT_ADAPTER, adapter);
            sizes.put(Way.BESIDE, Files.size(adapter));
        } catch (ConfigurationException e) {
            refused.put(Way.BESIDE, e.getMessage());
        }
        List<Way> ways = new ArrayList<>(sizes.keySet());
        ways.sort(Comparator.comparing(sizes::get));
        return ways;
    }
}
