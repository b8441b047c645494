package io.peft4j.models.gguf;

import com.fasterxml.jackson.databind.JsonNode;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.gguf.GgufWriter;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.RowReader;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.ModelTensor;
import io.peft4j.models.tokenizer.GgufVocabulary;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Writes a model in the form of Llama as a GGUF file that llama.cpp runs. Matrices are written in the type that is
 * asked for, in F16 where their rows are not whole blocks of it; vectors in F32.
 */
public final class GgufModelFile {
    private static final String ARCHITECTURE = "llama";
    private static final String PREFIX = ARCHITECTURE + ".";
    /** llama.cpp's numbers of what most tensors of a file are. */
    private static final Map<BlockType, Integer> FILE_TYPES = Map.of(BlockType.F32, 0, BlockType.F16, 1,
            BlockType.Q8_0, 7, BlockType.BF16, 32);

    private final ModelConfig config;
    private final GgufRowOrder order;
    private final GgufWriter writer = new GgufWriter();

    private GgufModelFile(ModelConfig config) {
        this.config = config;
        this.order = new GgufRowOrder(config);
    }

    /**
     * Writes the file.
     *
     * @param file the file to create or replace
     * @param name what the model is called in it
     * @param config the model's configuration
     * @param tensors all tensors of the model; the output layer's is missing where it is the embedding
     * @param type type of matrices, F32, F16, BF16 or Q8_0
     * @param tokenizer its tokenizer
     * @throws ConfigurationException when the format or llama.cpp has no place for something in the model
     */
    public static void write(Path file, String name, ModelConfig config, List<ModelTensor> tensors, BlockType type,
            Tokenizer tokenizer) {
        requireLlama(config);
        GgufModelFile model = new GgufModelFile(config);
        model.writer.string("general.architecture", ARCHITECTURE).string("general.type", "model")
                .string("general.name", name).uint32("general.file_type", FILE_TYPES.get(type))
                .uint32("general.quantization_version", 2);
        model.sizes();
        int rows = (int) tensors.stream().filter(t -> t.name().equals("model.embed_tokens.weight"))
                .mapToLong(t -> t.shape()[0]).findFirst().orElseThrow();
        GgufVocabulary.write(model.writer, tokenizer, rows);
        model.rotaryScaling();
        tensors.forEach(tensor -> model.add(tensor, type));
        model.writer.write(file);
    }

    static void requireLlama(ModelConfig config) {
        if (!config.modelType().equals(ARCHITECTURE)) {
            throw new ConfigurationException("GGUF files can be written for models of the type llama, not for "
                    + config.modelType());
        }
    }

    private void sizes() {
        int heads = config.positive("num_attention_heads");
        int hidden = config.positive("hidden_size");
        int headSize = config.optionalPositive("head_dim").orElse(hidden / heads);
        size("context_length", config.optionalPositive("max_position_embeddings").orElse(2048));
        size("embedding_length", hidden);
        size("block_count", config.positive("num_hidden_layers"));
        size("feed_forward_length", config.positive("intermediate_size"));
        size("attention.head_count", heads);
        size("attention.head_count_kv", config.optionalPositive("num_key_value_heads").orElse(heads));
        size("attention.key_length", headSize);
        size("attention.value_length", headSize);
        size("rope.dimension_count", headSize);
        size("vocab_size", config.positive("vocab_size"));
        writer.float32(PREFIX + "attention.layer_norm_rms_epsilon", (float) config.number("rms_norm_eps", 1e-6));
        writer.float32(PREFIX + "rope.freq_base", (float) rotary().number("rope_theta",
                config.number("rope_theta", 10000)));
    }

    private void size(String key, int value) {
        writer.uint32(PREFIX + key, value);
    }

    private ModelConfig rotary() {
        return config.object("rope_parameters").or(() -> config.object("rope_scaling")).orElse(config);
    }

    /** llama.cpp knows a factor for all frequencies, or a tensor with a divisor for each. */
    private void rotaryScaling() {
        ModelConfig scaling = rotary();
        String kind = scaling == config ? "default"
                : scaling.text("rope_type").or(() -> scaling.text("type")).orElse("default");
        switch (kind) {
            case "default" -> { }
            case "linear" -> writer.string(PREFIX + "rope.scaling.type", "linear")
                    .float32(PREFIX + "rope.scaling.factor", (float) scaling.number("factor", 1));
            case "llama3" -> addDivisors(llama3Divisors(scaling));
            case "divisors" -> {
                JsonNode values = scaling.values().path("divisors");
                float[] divisors = new float[values.size()];
                for (int i = 0; i < divisors.length; i++) {
                    divisors[i] = values.get(i).floatValue();
                }
                addDivisors(divisors);
            }
            default -> throw new ConfigurationException("the rotary scaling \"" + kind
                    + "\" cannot be written as GGUF");
        }
    }

    private void addDivisors(float[] divisors) {
        writer.tensor("rope_freqs.weight", BlockType.F32, new long[] {divisors.length},
                (RowReader) (row, target) -> System.arraycopy(divisors, 0, target, 0, divisors.length));
    }

    /** Long wavelengths are divided by the factor, short ones kept, those between blended, as Llama 3.1 has it. */
    private float[] llama3Divisors(ModelConfig scaling) {
        int headSize = config.optionalPositive("head_dim")
                .orElseGet(() -> config.positive("hidden_size") / config.positive("num_attention_heads"));
        double theta = scaling.number("rope_theta", config.number("rope_theta", 10000));
        double factor = scaling.number("factor", 8);
        double low = scaling.number("low_freq_factor", 1);
        double high = scaling.number("high_freq_factor", 4);
        double original = scaling.number("original_max_position_embeddings", 8192);
        float[] divisors = new float[headSize / 2];
        for (int i = 0; i < divisors.length; i++) {
            double wavelength = 2 * Math.PI * Math.pow(theta, 2.0 * i / headSize);
            double share = Math.max(0, Math.min(1, (original / wavelength - low) / (high - low)));
            divisors[i] = (float) (1 / ((1 - share) / factor + share));
        }
        return divisors;
    }

    private void add(ModelTensor tensor, BlockType type) {
        String name = GgufTensorNames.toGguf(tensor.name()).orElseThrow(() -> new ConfigurationException(
                "llama.cpp has no tensor for " + tensor.name()));
        if (tensor.isVector()) {
            writer.tensor(name, BlockType.F32, tensor.shape(),
                    order.reorderVector(tensor.name(), tensor.columns(), tensor.rows()));
            return;
        }
        BlockType fitting = tensor.columns() % type.blockSize() == 0 ? type : BlockType.F16;
        writer.tensor(name, fitting, tensor.shape(), order.reorder(tensor.name(), tensor.rows()));
    }
}
