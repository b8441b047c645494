package io.peft4j.models.gguf;

import io.peft4j.core.decision.DecisionSettings;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.CheckpointForm;
import io.peft4j.models.architecture.GgufDifference;
import io.peft4j.models.architecture.GgufForm;
import io.peft4j.models.architecture.GgufGroups;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.architecture.SentencePooling;
import io.peft4j.models.tokenizer.GgufVocabulary;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.LongStream;

/**
 * Writes a model as a GGUF file that llama.cpp runs, in the form that its family states. Matrices are written in the
 * type that is asked for, in F16 where their rows are not whole blocks of it; vectors in F32; embedding and output
 * layer in 8 bits where others have fewer, as llama.cpp's quantizer keeps them in more than the rest.
 */
public final class GgufModelFile {
    /** llama.cpp's numbers of what most tensors of a file are. */
    private static final Map<BlockType, Integer> FILE_TYPES = Map.of(BlockType.F32, 0, BlockType.F16, 1,
            BlockType.Q4_0, 2, BlockType.Q4_1, 3, BlockType.Q8_0, 7, BlockType.Q5_0, 8, BlockType.Q5_1, 9,
            BlockType.BF16, 32);

    private static final String EMBEDDING = "token_embd.weight";
    private static final String OUTPUT = "output.weight";
    /**
     * The layer that chooses experts, convolutions and tables of positions stay in full precision, as llama.cpp's
     * converter does.
     */
    private static final Pattern FULL = Pattern.compile(
            "(blk\\.\\d+\\.(ffn_gate_inp|shortconv\\.conv|ssm_conv1d)|position_embd|token_types)\\.weight");

    private final GgufForm form;
    private final GgufRowOrder order;
    private final GgufWriter writer = new GgufWriter();

    private GgufModelFile(ModelConfig config, GgufForm form) {
        this.form = form;
        this.order = new GgufRowOrder(config, form);
    }

    /**
     * Types of matrices, F32, F16, BF16, Q8_0 or one of 4 or 5 bits.
     *
     * @param usual of most
     * @param exceptions names of matrices of the network that have another type
     * @param other that type
     */
    public record Types(BlockType usual, Set<String> exceptions, BlockType other) {
        private BlockType of(String tensor, boolean excepted) {
            BlockType type = excepted ? other : usual;
            boolean wide = tensor.equals(EMBEDDING) || tensor.equals(OUTPUT);
            return wide && type.isQuantized() ? BlockType.Q8_0 : type;
        }
    }

    /**
     * Writes the file.
     *
     * @param file the file to create or replace
     * @param name what the model is called in it
     * @param config the model's configuration
     * @param tensors all tensors of the model; the output layer's is missing where it is the embedding
     * @param types types of matrices
     * @param tokenizer its tokenizer
     * @param stops the tokens that end an answer
     * @param pooling how hidden states become one vector, where they do
     * @param decisions how it reads typed questions
     * @throws ConfigurationException when the format or llama.cpp has no place for something in the model
     */
    public static void write(Path file, String name, ModelConfig config, List<ModelTensor> tensors, Types types,
            Tokenizer tokenizer, Set<Integer> stops, Optional<SentencePooling> pooling, DecisionSettings decisions) {
        ModelConfig written = GgufDecisions.withHead(CheckpointForm.written(config), tensors);
        GgufForm form = Architectures.requireGguf(written);
        GgufModelFile model = new GgufModelFile(written, form);
        model.writer.string("general.architecture", form.architecture()).string("general.type", "model")
                .string("general.name", name).uint32("general.file_type", FILE_TYPES.get(types.usual()))
                .uint32("general.quantization_version", 2);
        GgufHyperparameters.write(model.writer, written, form);
        pooling.ifPresent(own -> GgufPooling.write(model.writer, form.architecture(), own));
        Map<String, List<ModelTensor>> byName = new LinkedHashMap<>();
        Set<String> excepted = new HashSet<>();
        for (ModelTensor tensor : tensors) {
            for (ModelTensor stored : inCheckpoint(config, tensor)) {
                String own = model.name(stored);
                byName.computeIfAbsent(own, n -> new ArrayList<>()).add(stored);
                if (types.exceptions().contains(tensor.name())) {
                    excepted.add(own);
                }
            }
        }
        GgufVocabulary.write(model.writer, tokenizer, stops, (int) byName.get(EMBEDDING).get(0).shape()[0]);
        GgufDecisions.write(model.writer, form.architecture(), decisions, tokenizer,
                written.has(ModelConfig.HEAD_LAYERS));
        if (form.hasSeparateOutput()) {
            ModelTensor embedding = byName.get(EMBEDDING).get(0);
            byName.putIfAbsent(OUTPUT, List.of(Architectures.of(config) instanceof CheckpointForm own
                    ? own.ggufOutput(config, embedding) : embedding));
        }
        byName.forEach((tensor, parts) -> model.add(tensor, parts, types.of(tensor, excepted.contains(tensor))));
        model.writer.write(file);
    }

    /** What a file holds for a tensor of the network, under Hugging Face's names. */
    static List<ModelTensor> inCheckpoint(ModelConfig config, ModelTensor tensor) {
        return Architectures.of(config) instanceof CheckpointForm form ? form.ggufTensors(config, tensor)
                : List.of(tensor);
    }

    private String name(ModelTensor tensor) {
        return form.toGguf(tensor.name()).orElseThrow(() -> new ConfigurationException(
                "llama.cpp has no tensor for " + tensor.name()));
    }

    /** Adds a tensor, or those of all experts as one. */
    private void add(String name, List<ModelTensor> parts, BlockType type) {
        ModelTensor tensor = parts.get(0);
        if (form.expert(tensor.name()) >= 0) {
            addExperts(name, parts, type);
        } else if (parts.size() > 1) {
            throw new ConfigurationException("llama.cpp has one tensor, " + name + ", for "
                    + parts.stream().map(ModelTensor::name).toList());
        } else if (tensor.isVector()) {
            addVector(name, tensor);
        } else {
            ModelTensor matrix = form.has(GgufDifference.TRANSPOSED, tensor.name()) ? tensor.transposed() : tensor;
            long[] shape = form.has(GgufDifference.ONE_CHANNEL, tensor.name())
                    ? new long[] {tensor.shape()[0], tensor.columns()} : matrix.shape();
            writer.tensor(name, fitting(name, matrix, type), shape,
                    order.reorder(tensor.name(), order.reorderColumns(tensor.name(), matrix.rows())));
        }
    }

    private static BlockType fitting(String name, ModelTensor matrix, BlockType type) {
        if (FULL.matcher(name).matches()) {
            return BlockType.F32;
        }
        return matrix.columns() % type.blockSize() == 0 ? type : BlockType.F16;
    }

    private void addExperts(String name, List<ModelTensor> parts, BlockType type) {
        List<ModelTensor> experts = parts.stream().sorted(Comparator.comparingInt(part -> form.expert(part.name())))
                .toList();
        long[] shape = experts.get(0).shape();
        for (int i = 0; i < experts.size(); i++) {
            if (form.expert(experts.get(i).name()) != i || !Arrays.equals(shape, experts.get(i).shape())) {
                throw new ConfigurationException("the experts of " + name + " are not numbered from 0, or differ in "
                        + "their shapes");
            }
        }
        int rows = shape.length == 1 ? 1 : (int) shape[0];
        writer.tensor(name, shape.length == 1 ? BlockType.F32 : fitting(name, experts.get(0), type),
                LongStream.concat(LongStream.of(experts.size()), LongStream.of(shape)).toArray(),
                (row, target) -> experts.get(row / rows).rows().readRow(row % rows, target));
    }

    /** Adds a vector, or what is a matrix in a file, with llama.cpp's values. */
    private void addVector(String name, ModelTensor tensor) {
        int length = tensor.columns();
        int rows = form.groups(GgufDifference.IN_ROWS, tensor.name()).map(GgufGroups::groups).orElse(0);
        Optional<GgufDifference> difference = order.values(tensor.name());
        RowReader values = order.reorderVector(tensor.name(), length, tensor.rows());
        writer.tensor(name, BlockType.F32, rows == 0 ? tensor.shape() : new long[] {rows, length / rows},
                (row, target) -> {
                    float[] all = new float[length];
                    values.readRow(0, all);
                    for (int i = 0; i < target.length; i++) {
                        float value = all[row * target.length + i];
                        target[i] = difference.map(own -> own.toGguf(value)).orElse(value);
                    }
                });
    }
}
