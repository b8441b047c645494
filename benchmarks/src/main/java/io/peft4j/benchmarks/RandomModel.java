package io.peft4j.benchmarks;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.peft4j.core.engine.Engine;
import io.peft4j.core.engine.Lifetime;
import io.peft4j.core.kernel.Kernels;
import io.peft4j.core.model.BaseLanguageModel;
import io.peft4j.core.model.Completion;
import io.peft4j.core.model.GenerationOptions;
import io.peft4j.core.model.ModelLease;
import io.peft4j.core.model.Network;
import io.peft4j.core.model.Prompt;
import io.peft4j.core.nn.LayerSelection;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.text.ChatTemplate;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.core.weight.BlockType;
import io.peft4j.core.weight.TensorStore;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.architecture.Architecture;
import io.peft4j.models.architecture.Architectures;
import io.peft4j.models.architecture.ModelConfig;
import io.peft4j.models.architecture.WeightLoader;
import io.peft4j.models.architecture.WeightType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.SplittableRandom;

/** A base model of the shape of SmolLM2-135M with random weights; it has no words and answers nothing. */
final class RandomModel implements BaseLanguageModel {
    private static final int VOCABULARY = 49152;
    private static final int HIDDEN = 576;
    private static final int INNER = 1536;
    private static final int KEYS = 192;
    private static final String CONFIG = """
            {"model_type": "llama", "hidden_act": "silu", "vocab_size": 49152, "hidden_size": 576,
             "intermediate_size": 1536, "num_hidden_layers": %d, "num_attention_heads": 9, "num_key_value_heads": 3,
             "max_position_embeddings": 8192, "rms_norm_eps": 1e-5, "rope_theta": 100000, "tie_word_embeddings": true}
            """;

    private final Engine engine;
    private final Lifetime lifetime = new Lifetime("the model", this::free);
    private final Network network;
    private final Architecture architecture;

    /**
     * A model.
     *
     * @param layers decoder layers; SmolLM2-135M has 30
     * @param kernels what it runs on; the caller keeps them
     * @param type what the weights are kept in
     */
    RandomModel(int layers, Kernels kernels, WeightType type) {
        this.engine = new Engine(kernels);
        ModelConfig config = config(layers);
        this.architecture = Architectures.of(config);
        try (WeightLoader weights = new WeightLoader(tensors(layers), type)) {
            this.network = architecture.build("random weights", config, weights);
        }
    }

    /** A model of full size in the kernels and the type of a benchmark. */
    static RandomModel of(KernelState state, int layers) {
        return new RandomModel(layers, state.get(), state.dtype.equals("bf16") ? WeightType.BF16 : WeightType.F32);
    }

    /** With a LoRA adapter on all linear layers. */
    PeftModel withLora(int rank) {
        return PeftModel.of(this, LoraConfig.builder().rank(rank).alpha(2 * rank)
                .targetModules(TargetModules.ALL_LINEAR).build());
    }

    private static ModelConfig config(int layers) {
        try {
            return new ModelConfig(Path.of("config.json"), new ObjectMapper().readTree(CONFIG.formatted(layers)));
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("the configuration in this class is not JSON", e);
        }
    }

    private static RandomTensors tensors(int layers) {
        RandomTensors tensors = new RandomTensors();
        tensors.add("model.embed_tokens.weight", VOCABULARY, HIDDEN);
        for (int i = 0; i < layers; i++) {
            String layer = "model.layers." + i;
            tensors.add(layer + ".input_layernorm.weight", HIDDEN);
            tensors.add(layer + ".self_attn.q_proj.weight", HIDDEN, HIDDEN);
            tensors.add(layer + ".self_attn.k_proj.weight", KEYS, HIDDEN);
            tensors.add(layer + ".self_attn.v_proj.weight", KEYS, HIDDEN);
            tensors.add(layer + ".self_attn.o_proj.weight", HIDDEN, HIDDEN);
            tensors.add(layer + ".post_attention_layernorm.weight", HIDDEN);
            tensors.add(layer + ".mlp.gate_proj.weight", INNER, HIDDEN);
            tensors.add(layer + ".mlp.up_proj.weight", INNER, HIDDEN);
            tensors.add(layer + ".mlp.down_proj.weight", HIDDEN, INNER);
        }
        tensors.add("model.norm.weight", HIDDEN);
        return tensors;
    }

    @Override
    public Network network() {
        return network;
    }

    @Override
    public Engine engine() {
        return engine;
    }

    @Override
    public ModelLease lease() {
        return new ModelLease(network, engine, LayerSelection.BASE, List.of(lifetime.lease()));
    }

    @Override
    public Tokenizer tokenizer() {
        throw new UnsupportedOperationException("random weights have no words");
    }

    @Override
    public Optional<ChatTemplate> chatTemplate() {
        return Optional.empty();
    }

    @Override
    public Set<Integer> stopTokens() {
        return Set.of();
    }

    @Override
    public List<String> defaultTargetModules() {
        return architecture.defaultTargetModules();
    }

    @Override
    public List<Completion> generate(ModelLease model, List<Prompt> prompts, GenerationOptions options) {
        throw new UnsupportedOperationException("random weights have no words");
    }

    @Override
    public void close() {
        lifetime.close();
    }

    private void free() {
        network.close();
    }

    /** The tensors of an untrained checkpoint: matrices are random, norms are 1. Nothing is kept in memory. */
    private static final class RandomTensors implements TensorStore {
        private static final float DEVIATION = 0.02f;

        private final Map<String, long[]> shapes = new LinkedHashMap<>();

        /** Announces a tensor. */
        void add(String name, long... shape) {
            shapes.put(name, shape.clone());
        }

        @Override
        public Path path() {
            return Path.of("random weights");
        }

        @Override
        public Set<String> names() {
            return shapes.keySet();
        }

        @Override
        public long[] shape(String name) {
            return shapes.get(name).clone();
        }

        @Override
        public Optional<BlockType> blockType(String name) {
            return Optional.of(BlockType.F32);
        }

        @Override
        public long length(String name) {
            return 4 * elements(name);
        }

        @Override
        public void readFloats(String name, long first, float[] target, int offset, int count) {
            if (shapes.get(name).length == 1) {
                Arrays.fill(target, offset, offset + count, 1f);
                return;
            }
            SplittableRandom random = new SplittableRandom(name.hashCode() * 31L + first);
            for (int i = 0; i < count; i++) {
                // Of the wanted deviation: that of an even distribution is its width over the root of 12.
                target[offset + i] = (float) ((random.nextDouble() - 0.5) * Math.sqrt(12) * DEVIATION);
            }
        }

        @Override
        public void readBytes(String name, long position, byte[] target, int offset, int count) {
            float[] values = new float[count / 4];
            readFloats(name, position / 4, values, 0, values.length);
            ByteBuffer.wrap(target, offset, count).order(ByteOrder.LITTLE_ENDIAN).asFloatBuffer().put(values);
        }

        @Override
        public ByteBuffer bytes(String name) {
            byte[] all = new byte[Math.toIntExact(length(name))];
            readBytes(name, 0, all, 0, all.length);
            return ByteBuffer.wrap(all).order(ByteOrder.LITTLE_ENDIAN).asReadOnlyBuffer();
        }

        @Override
        public OptionalLong address(String name) {
            return OptionalLong.empty();
        }

        @Override
        public void close() {
            shapes.clear();
        }
    }
}
