package io.peft4j.models.export;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.io.AtomicFiles;
import io.peft4j.core.io.Closer;
import io.peft4j.core.io.IfExists;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.LogitDifference;
import io.peft4j.core.peft.MergeCheck;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.weight.BlockType;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.models.architecture.PooledNetwork;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.gguf.GgufModelFile;
import io.peft4j.models.hub.ModelSource;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Writes a model for other programs, its active adapters merged into it in f32: as a Hugging Face folder or as a GGUF
 * file. What is written is loaded again, and its logits on sample text are compared with the model's before it takes
 * its place: a file that says something else is refused and removed.
 *
 * <pre>{@code
 * ModelExport.of(model).type(BlockType.BF16).toFolder(Path.of("handbook-model"));
 * ModelExport.of(model).type(BlockType.Q8_0).toGguf(Path.of("handbook.gguf"));
 * }</pre>
 *
 * <p>The base model must have been loaded in f32, since other forms have lost of it what an adapter adds.
 */
@Internal(shared = true)
public final class ModelExport {
    /** What rounding to the types may change of a base model's logits, at most; see {@link #tolerance}. */
    private static final Map<BlockType, Double> TOLERANCES = Map.of(BlockType.F32, MergeCheck.F32_TOLERANCE,
            BlockType.F16, 1e-2, BlockType.BF16, 5e-2, BlockType.Q8_0, 0.15, BlockType.Q5_1, 0.5, BlockType.Q5_0, 0.5,
            BlockType.Q4_1, 0.9, BlockType.Q4_0, 0.9);
    /** How much more than the base model's logits rounding may change those of base and adapter; 2: twice as much. */
    private static final double MARGIN = 2;
    /** What is below this is the order of sums, not rounding: the base has been rounded to the type before. */
    private static final double ROUNDED_BEFORE = 1e-5;

    private final LanguageModel model;
    private final BaseModel base;
    private BlockType type = BlockType.F32;
    private Optional<BlockType> adaptedType = Optional.empty();
    private long maxShardBytes = 5_000_000_000L;
    private List<String> samples = MergeCheck.SAMPLE_TEXTS;
    private Optional<Double> tolerance = Optional.empty();
    private Optional<String> name = Optional.empty();
    private IfExists ifExists = IfExists.FAIL;
    private Optional<Consumer<BaseModel>> proof = Optional.empty();

    private ModelExport(LanguageModel model, BaseModel base) {
        this.model = model;
        this.base = base;
        if (base.precision().precision() != ModelOptions.Precision.F32) {
            throw new ConfigurationException("a model is exported from f32, but this one was loaded in "
                    + base.precision().name() + "; load it with ModelOptions.defaults().withPrecision(F32)");
        }
    }

    /**
     * A base model as it is.
     *
     * @throws ConfigurationException when it was not loaded in f32
     */
    public static ModelExport of(BaseModel base) {
        return new ModelExport(base, base);
    }

    /**
     * A model with its active adapters.
     *
     * @throws ConfigurationException when the base was not loaded in f32 by {@link BaseModel}
     */
    public static ModelExport of(PeftModel model) {
        return new ModelExport(model, base(model));
    }

    static BaseModel base(PeftModel model) {
        if (model.base() instanceof BaseModel base) {
            return base;
        }
        throw new ConfigurationException("only models loaded by BaseModel can be exported");
    }

    /**
     * Type of the matrices: F32 (the default), F16, BF16, or in a GGUF file Q8_0, Q5_1, Q5_0, Q4_1 or Q4_0; embedding
     * and output layer have at least 8 bits.
     */
    public ModelExport type(BlockType value) {
        type = Objects.requireNonNull(value, "value");
        return this;
    }

    /**
     * Type of the matrices that active adapters change, in a GGUF file. More bits where the tuning is cost little and
     * keep much of it. Default the {@link #type} of all.
     */
    public ModelExport adaptedType(BlockType value) {
        adaptedType = Optional.of(value);
        return this;
    }

    /** The largest safetensors file; what is more goes to further ones. Default 5 GB. */
    public ModelExport maxShardBytes(long value) {
        maxShardBytes = value;
        return this;
    }

    /** Text on which what was written is compared with the model; default {@link MergeCheck#SAMPLE_TEXTS}. */
    public ModelExport samples(List<String> texts) {
        samples = List.copyOf(texts);
        return this;
    }

    /**
     * The largest {@link LogitDifference#relative()} that is accepted. By default, a base model in F32 1e-3, F16 1e-2,
     * BF16 5e-2, Q8_0 0.15, types of 5 bits 0.5, of 4 bits 0.9; a model with adapters in F32 1e-3, and in other types
     * twice what rounding the base alone to the type changes, which is measured by writing it first; where that is
     * nothing, since the base comes from a file of this type, as for a base model. On SmolLM2-135M 4e-6, 2e-3, 1e-2 and
     * 4e-2 are measured up to Q8_0.
     */
    public ModelExport tolerance(double value) {
        tolerance = Optional.of(value);
        return this;
    }

    /**
     * Is given what was written before it takes its place, read back with the values of the file; where it throws,
     * nothing is written. Default none.
     */
    public ModelExport proof(Consumer<BaseModel> check) {
        proof = Optional.of(check);
        return this;
    }

    /** What the model is called in a GGUF file; default the base's name. */
    public ModelExport name(String value) {
        name = Optional.of(value);
        return this;
    }

    /**
     * What happens where the target is there already; default {@link IfExists#FAIL}. {@link ExportReport#target} says
     * where the model went.
     */
    public ModelExport ifExists(IfExists value) {
        ifExists = Objects.requireNonNull(value, "value");
        return this;
    }

    /**
     * Writes {@code config.json}, {@code generation_config.json}, safetensors files and the tokenizer's files.
     *
     * @param wanted a folder that does not exist or is empty, or as {@link #ifExists} says; only a folder that holds a
     *     model is overwritten
     * @throws ConfigurationException when an adapter cannot be merged, the folder is not empty, the type has no place
     *     in it, or what was written says something else than the model
     * @throws UncheckedIOException when a file cannot be written
     */
    public ExportReport toFolder(Path wanted) {
        Path folder = ifExists.choose(wanted);
        requireReplaceable(folder);
        if (adaptedType.isPresent()) {
            throw new ConfigurationException("matrices of two types have a place in a GGUF file only");
        }
        return export(folder,
                merged -> new FolderWriter(base, merged, type, maxShardBytes).write(create(partial(folder))),
                new ModelSource.HuggingFaceFolder(partial(folder), provenance(folder)));
    }

    /**
     * Writes a GGUF file with configuration, tokenizer and chat template.
     *
     * @param wanted a file that does not exist, or as {@link #ifExists} says
     * @throws ConfigurationException when an adapter cannot be merged, llama.cpp has no place for a part of the model,
     *     there is such a file, or what was written says something else than the model
     * @throws UncheckedIOException when the file cannot be written
     */
    public ExportReport toGguf(Path wanted) {
        if (Files.isDirectory(wanted)) {
            throw new ConfigurationException(wanted + " is a folder; a file name is needed");
        }
        requireWritable();
        Path file = ifExists.choose(wanted);
        boolean marks = base.network().slots().stream().anyMatch(slot -> slot.path().equals("scorer.3"));
        Optional<SentencePooling> pooling = !marks && base.network() instanceof PooledNetwork network
                ? Optional.of(network.pooling()) : Optional.empty();
        return export(file, merged -> GgufModelFile.write(partial(file),
                name.orElseGet(() -> base.network().description().name()), base.config(), merged.tensors(),
                new GgufModelFile.Types(type, changed(), adaptedType.orElse(type)), base.tokenizer(), base.stopTokens(),
                pooling, model.decisions()),
                new ModelSource.GgufPath(partial(file), provenance(file)));
    }

    /** The matrices that the active adapters change; asked for while they are merged. */
    private Set<String> changed() {
        return model instanceof PeftModel peft && peft.isMerged() ? peft.mergedWeights().keySet() : Set.of();
    }

    private void requireWritable() {
        Task.Type task = base.network().task().type();
        if (task.hasHead() && task != Task.Type.FEATURE_EXTRACTION && task != Task.Type.DECISION) {
            throw new ConfigurationException("a model for " + task + " cannot be written as a GGUF file, which holds "
                    + "models that generate text, embed it or decide; write a Hugging Face folder");
        }
        if (model == base && model.decisions().adapter().isPresent()) {
            throw new ConfigurationException("decision.json names the adapter "
                    + model.decisions().adapter().get() + ", which a GGUF file cannot hold; export the model with it");
        }
    }

    private ExportReport export(Path target, Consumer<MergedTensors> writer, ModelSource written) {
        try (Closer partial = new Closer()) {
            partial.add(() -> AtomicFiles.delete(written.path()));
            MergeCheck check = new MergeCheck(samples, tolerance.orElseGet(() -> usualTolerance(writer, written)));
            List<float[]> before;
            MergedTensors tensors;
            if (model instanceof PeftModel peft) {
                before = LogitDifference.logits(peft, check.sequences(peft));
                boolean merges = !peft.isMerged() && !peft.activeAdapters().isEmpty();
                if (merges) {
                    peft.merge(new MergeCheck(samples, MergeCheck.F32_TOLERANCE));
                }
                try {
                    tensors = MergedTensors.of(base.network(), peft.isMerged() ? peft.mergedWeights() : Map.of());
                    writer.accept(tensors);
                } finally {
                    if (merges) {
                        peft.unmerge();
                    }
                }
            } else {
                before = LogitDifference.logits(base, check.sequences(base));
                tensors = MergedTensors.of(base.network(), Map.of());
                writer.accept(tensors);
            }
            LogitDifference difference = compare(written, check, before, model);
            proof.ifPresent(asking -> prove(written, asking));
            Files.createDirectories(target.toAbsolutePath().getParent());
            if (Files.isDirectory(target)) {
                AtomicFiles.delete(target);
            }
            // A file that is there is replaced in one step: it is never missing.
            Files.move(written.path(), target, StandardCopyOption.REPLACE_EXISTING);
            partial.keep();
            return report(target, tensors, difference, check.tolerance());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + target + ": " + e.getMessage(), e);
        }
    }

    /** Other types than bfloat16 are exact in f32. */
    private void prove(ModelSource written, Consumer<BaseModel> asking) {
        try (BaseModel again = BaseModel.load(written, ModelOptions.defaults().withPrecision(type == BlockType.BF16
                ? ModelOptions.Precision.BF16
                : ModelOptions.Precision.F32))) {
            asking.accept(again);
        }
    }

    /** What rounding the base alone changes is the measure for what rounding may change of base and adapter. */
    private double usualTolerance(Consumer<MergedTensors> writer, ModelSource written) {
        double largest = TOLERANCES.getOrDefault(type, 0.15);
        boolean adapted = model instanceof PeftModel peft && !peft.activeAdapters().isEmpty();
        if (type == BlockType.F32 || !adapted) {
            return largest;
        }
        MergeCheck check = new MergeCheck(samples, largest);
        writer.accept(MergedTensors.of(base.network(), Map.of()));
        double ofBase = compare(written, check, LogitDifference.logits(base, check.sequences(base)), base)
                .relative();
        AtomicFiles.delete(written.path());
        // Such a base loses nothing, which is no measure for a change that has not been rounded yet.
        return ofBase < ROUNDED_BEFORE ? largest : Math.max(MergeCheck.F32_TOLERANCE, MARGIN * ofBase);
    }

    private LogitDifference compare(ModelSource source, MergeCheck check, List<float[]> before,
            LanguageModel reference) {
        ModelOptions options = ModelOptions.defaults().withPrecision(ModelOptions.Precision.F32);
        try (BaseModel again = BaseModel.load(source, options)) {
            List<int[]> sequences = check.sequences(again);
            List<float[]> written = LogitDifference.logits(again, sequences);
            LogitDifference difference = LogitDifference.between(expected(check, sequences, before, reference),
                    written, LogitDifference.columns(again, written));
            check.require(difference, "what was written as " + type);
            DecisionCheck.require(model, again);
            return difference;
        }
    }

    /** The model's logits for what was written to be compared with: it may be for shorter texts. */
    private List<float[]> expected(MergeCheck check, List<int[]> sequences, List<float[]> before,
            LanguageModel reference) {
        List<int[]> whole = check.sequences(base);
        boolean isWhole = whole.size() == sequences.size();
        for (int i = 0; i < whole.size(); i++) {
            int length = i < sequences.size() ? sequences.get(i).length : 0;
            if (length == 0 || !Arrays.equals(sequences.get(i), Arrays.copyOf(whole.get(i), length))) {
                throw new ConfigurationException("the written tokenizer splits text differently");
            }
            isWhole &= length == whole.get(i).length;
        }
        return isWhole ? before : LogitDifference.logits(reference, sequences);
    }

    private ExportReport report(Path target, MergedTensors tensors, LogitDifference difference, double limit)
            throws IOException {
        List<String> files = new ArrayList<>();
        long bytes = 0;
        for (Path file : files(target)) {
            files.add(file.equals(target) ? target.getFileName().toString() : target.relativize(file).toString());
            bytes += Files.size(file);
        }
        return new ExportReport(target, type, files, bytes,
                base.network().description().tiedEmbeddings() && !tensors.tied(), difference, limit);
    }

    private static List<Path> files(Path target) throws IOException {
        try (var paths = Files.walk(target)) {
            return paths.filter(Files::isRegularFile).sorted().toList();
        }
    }

    private static boolean isEmpty(Path folder) throws IOException {
        try (var entries = Files.list(folder)) {
            return entries.findAny().isEmpty();
        }
    }

    /** A folder whose content has nothing to do with a model must not be removed. */
    private static void requireReplaceable(Path folder) {
        try {
            if (Files.exists(folder) && !Files.isRegularFile(folder.resolve("config.json"))
                    && (!Files.isDirectory(folder) || !isEmpty(folder))) {
                throw new ConfigurationException(folder + " exists and is not a model, so it is not "
                        + "overwritten; choose another folder");
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot list " + folder + ": " + e.getMessage(), e);
        }
    }

    /** Where it is written until it has been checked: beside the target, so that moving it is one step. */
    private static Path partial(Path target) {
        return target.toAbsolutePath().resolveSibling("." + target.getFileName() + ".partial");
    }

    private static Path create(Path folder) {
        try {
            AtomicFiles.delete(folder);
            return Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot create " + folder + ": " + e.getMessage(), e);
        }
    }

    private static ModelSource.Provenance provenance(Path target) {
        return new ModelSource.Provenance(target.toString(), Optional.empty(), Optional.empty(), "just written");
    }

    /**
     * What was written.
     *
     * @param target the folder or file
     * @param type type of the matrices
     * @param files all files, relative to the target's folder
     * @param bytes their size together
     * @param untied whether the model's output layer and embedding shared one weight and have become two by merging
     * @param difference how far the logits of what was written, loaded again, are from the model's
     * @param tolerance the largest {@link LogitDifference#relative()} that was accepted, see {@link
     * ModelExport#tolerance}
     */
    public record ExportReport(Path target, BlockType type, List<String> files, long bytes, boolean untied,
            LogitDifference difference, double tolerance) {
        /** Copies the list. */
        public ExportReport {
            files = List.copyOf(files);
        }
    }
}
