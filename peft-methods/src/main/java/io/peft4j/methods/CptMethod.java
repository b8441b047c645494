package io.peft4j.methods;

import io.peft4j.core.Internal;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.peft.method.Adapter;
import io.peft4j.core.peft.method.AdapterSetup;
import io.peft4j.core.peft.method.ConfiguredMethod;
import java.util.List;
import java.util.stream.IntStream;

/** CPT; {@link CptConfig} says what it computes. */
@Internal
public final class CptMethod extends ConfiguredMethod<CptConfig> {
    @Override
    protected Adapter adapter(CptConfig config, AdapterSetup setup) {
        VirtualTokens tokens = TokenSizes.ofPrompt(config.virtualTokens(), setup);
        double unit = Math.sqrt(tokens.tokenDim() / 2048.0);
        double[] distances = config.types().stream().mapToDouble(type -> unit * switch (type < 0 ? 0 : type % 4) {
            case 1, 3 -> config.formatEpsilon();
            case 2 -> config.epsilon();
            default -> 0;
        }).toArray();
        int[] ids = config.tokenIds().stream().mapToInt(Integer::intValue).toArray();
        VirtualSource source = new GuardedTokens(setup, (values, random) -> {
            Embedding embedding = PromptTuningMethod.embedding(setup);
            for (int id : ids) {
                if (id < 0 || id >= embedding.table().rows()) {
                    throw new ConfigurationException("cpt_token_ids: " + id + " is not a token; the model has "
                            + embedding.table().rows());
                }
            }
            PromptTuningMethod.copy(values, embedding, ids);
        }, tokens.tokenDim(), true, distances);
        return PromptTuningMethod.prompt(setup.isRestoring() ? config
                : config.toBuilder().virtualTokens(tokens).build(), setup, tokens, source)
                .learning(ExampleAnswers.of(config)::beside);
    }

    /**
     * The answers of CPT's example, which are learned beside the rows, once for each sequence. The mean over both is,
     * times the weights of the rows, {@code f * rows + sequences * f * answers} with {@code f = R / (R + sequences *
     * places)} for rows with the weights R.
     *
     * @param places their numbers in the example; its first token is predicted from nothing
     * @param ids their tokens
     * @param weights their weights
     */
    private record ExampleAnswers(int[] places, int[] ids, double[] weights) {
        static ExampleAnswers of(CptConfig config) {
            List<Integer> types = config.types();
            int[] places = IntStream.range(1, types.size()).filter(i -> types.get(i) > 0 && types.get(i) % 4 == 0)
                    .toArray();
            double factor = config.weighting() == CptConfig.Weighting.DECAY ? config.decayFactor() : 1;
            double[] weights = IntStream.of(places).mapToDouble(place -> Math.pow(factor, 1 + IntStream.of(places)
                    .map(types::get).filter(type -> type > types.get(place)).distinct().count())).toArray();
            return new ExampleAnswers(places, IntStream.of(places).map(config.tokenIds()::get).toArray(), weights);
        }

        /** The targets of a batch that begins with the rows of the example, with the answers behind them. */
        PackedBatch.Targets beside(PackedBatch batch) {
            PackedBatch.Targets own = batch.targets();
            double all = IntStream.range(0, own.count()).mapToDouble(i -> own.weights()[i]).sum();
            int sequences = batch.lastRows().length;
            double share = all / (all + (double) sequences * places.length);
            int count = own.count();
            int[] rows = java.util.Arrays.copyOf(own.rows(), count + places.length);
            int[] tokens = java.util.Arrays.copyOf(own.ids(), rows.length);
            float[] learned = new float[rows.length];
            for (int i = 0; i < count; i++) {
                learned[i] = (float) (share * own.weights()[i]);
            }
            for (int i = 0; i < places.length; i++) {
                rows[count + i] = places[i] - 1;
                tokens[count + i] = ids[i];
                learned[count + i] = (float) (share * sequences * weights[i]);
            }
            return new PackedBatch.Targets(rows, tokens, learned,
                    java.util.Arrays.copyOf(own.sequences(), rows.length));
        }
    }
}
