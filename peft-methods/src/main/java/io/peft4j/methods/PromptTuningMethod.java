package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.model.EncoderDecoderNetwork;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.PeftConfig;
import io.peft4j.core.peft.method.AbstractAdapterLayer;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.AdapterTensor;
import io.peft4j.core.peft.method.ConfiguredMethod;
import io.peft4j.core.peft.method.Initializer;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.nd4j.linalg.api.ndarray.INDArray;

/** Prompt tuning; {@link PromptTuningConfig} says what it computes. */
@Internal
public final class PromptTuningMethod extends ConfiguredMethod<PromptTuningConfig> {
    @Override
    protected Adapter adapter(PromptTuningConfig config, AdapterSetup setup) {
        boolean reads = setup.network() instanceof EncoderDecoderNetwork;
        VirtualTokens tokens = reads ? TokenSizes.ofSource(config.virtualTokens(), setup)
                : TokenSizes.ofPrompt(config.virtualTokens(), setup);
        int rows = tokens.rows();
        PromptTuningConfig.Builder resolved = config.toBuilder().virtualTokens(tokens);
        if (config.initialization() == PromptTuningConfig.Initialization.TEXT && config.tokenizer().isEmpty()) {
            resolved.tokenizer(Optional.of(setup.network().description().name()));
        }
        VirtualSource source = VirtualSource.table(setup, start(config, setup, rows), rows, tokens.tokenDim());
        return prompt(setup.isRestoring() ? config : resolved.build(), setup, tokens, source);
    }

    /** An adapter whose virtual tokens are rows of the batch. */
    static VirtualTokenAdapter prompt(PeftConfig config, AdapterSetup setup, VirtualTokens tokens,
            VirtualSource source) {
        return prompt(config, setup, tokens, source,
                setup.network() instanceof EncoderDecoderNetwork ? batch -> behindPrompt(batch, tokens.count())
                        : batch -> batch.withVirtualTokens(tokens.count()));
    }

    static VirtualTokenAdapter prompt(PeftConfig config, AdapterSetup setup, VirtualTokens tokens, VirtualSource source,
            UnaryOperator<PackedBatch> preparation) {
        return new VirtualTokenAdapter(config, tokens.count(), source,
                List.of(new PromptLayer(setup.network().embedding(), source)), preparation);
    }

    /** The encoder reads the virtual tokens. */
    private static PackedBatch behindPrompt(PackedBatch batch, int count) {
        return batch.source().map(source -> batch.withSource(source.batch().withVirtualTokensInEach(count),
                source.ofSegments())).orElse(batch);
    }

    private static Initializer start(PromptTuningConfig config, AdapterSetup setup, int count) {
        return switch (config.initialization()) {
            case RANDOM -> Initializer.normal(1);
            case SAMPLE_VOCAB -> (values, random) -> {
                Embedding embedding = embedding(setup);
                copy(values, embedding, IntStream.range(0, count)
                        .map(i -> random.nextInt(embedding.table().rows())).toArray());
            };
            case TEXT -> (values, random) -> {
                int[] ids = setup.base().tokenizer().encodeWithSpecials(config.initText().orElseThrow());
                if (ids.length == 0) {
                    throw new ConfigurationException("prompt_tuning_init_text has no tokens");
                }
                copy(values, embedding(setup), IntStream.range(0, count).map(i -> ids[i % ids.length]).toArray());
            };
        };
    }

    static Embedding embedding(AdapterSetup setup) {
        return (Embedding) setup.network().embedding().layer();
    }

    /** Writes the embeddings of tokens, as they are used. */
    static void copy(INDArray values, Embedding embedding, int[] ids) {
        float[] row = new float[embedding.table().columns()];
        for (int i = 0; i < ids.length; i++) {
            embedding.table().readRow(ids[i], row, 0);
            for (int j = 0; j < row.length; j++) {
                row[j] *= embedding.scale();
            }
            Arrays.write(values, (long) i * row.length, row, 0, row.length);
        }
    }

    /**
     * The input embedding with virtual tokens: the rows of the batch that stand for them get their values, [tokens, H].
     */
    private static final class PromptLayer extends AbstractAdapterLayer {
        private final VirtualSource source;

        PromptLayer(Slot slot, VirtualSource source) {
            super(slot);
            this.source = source;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Variable y = base.forward(context, x);
            int[] virtual = context.batch().virtualTokens();
            return virtual.length == 0 ? y : source.put(context, y, virtual);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of();
        }

        @Override
        public Optional<String> mergeObstacle() {
            return Optional.of("virtual tokens are part of the input, not of a weight");
        }
    }
}
