package io.peft4j.core.peft.method;

import io.peft4j.core.Internal;
import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.ColumnOps;
import io.peft4j.core.autograd.MatrixOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.error.TargetModuleException;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.config.TokenIndices;
import io.peft4j.core.weight.FrozenWeight;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.nd4j.linalg.api.ndarray.INDArray;

/**
 * Rows of chosen tokens that are trained and replace those of the base: {@code k * H} parameters for k tokens. Any
 * method can use them beside its own layers.
 */
@Internal(shared = true)
public final class TrainedTokens {
    private static final String NAME = "trainable_tokens_delta";
    private static final String NAME_BESIDE = "token_adapter." + NAME;

    private TrainedTokens() {
    }

    /**
     * Rows of the embedding at {@code slot}, as a method of their own. Where the output layer is that embedding, the
     * rows are replaced in both and stand in the file twice, as Hugging Face PEFT does.
     *
     * @param asTheBase whether they begin as the base's; otherwise normal, for tests
     * @throws ConfigurationException when the embedding has no such token
     */
    public static List<AdapterLayer> of(AdapterSetup setup, Slot slot, List<Integer> tokens, boolean asTheBase) {
        TrainedTokenRows.Values rows = values(setup, slot, tokens, NAME, asTheBase).inPlaceOfBase();
        TrainedTokenRows embedding = new TrainedTokenRows(slot, rows);
        if (!isTied(setup, slot)) {
            return List.of(embedding);
        }
        Slot head = setup.network().causal().head();
        return List.of(embedding, new TokenColumns(head, rows, List.of(setup.again(head, rows.tensor()))));
    }

    /**
     * Rows that an adapter trains beside its own layers, by Hugging Face PEFT's rules: a name means the places whose
     * path ends with it; where the output layer is the input embedding, the embedding's rows are replaced in both,
     * unless other tokens are named for the output layer.
     *
     * @param layers the adapter's other layers
     * @param tieAlways whether other tokens for the output layer of a model with one matrix are an error
     * @throws TargetModuleException when a name matches no layer, or one that has no rows for tokens
     * @throws ConfigurationException when there is no such token, or another of the adapter's layers has the place
     */
    public static List<AdapterLayer> beside(AdapterSetup setup, TokenIndices tokens, List<AdapterLayer> layers,
            boolean tieAlways) {
        Map<Slot, List<Integer>> places = places(setup, tokens);
        Slot embedding = setup.network().embedding();
        boolean tied = isTied(setup, embedding) && places.containsKey(embedding);
        // Without one there is nothing to tie.
        Slot head = setup.network().output().orElse(embedding);
        if (tied && places.containsKey(head) && !places.get(head).equals(places.get(embedding))) {
            if (tieAlways) {
                throw new ConfigurationException("ensure_weight_tying is on, but trainable_token_indices names other "
                        + "tokens for " + head.path() + " than for " + embedding.path());
            }
            tied = false;
        }
        if (tied) {
            places.remove(head);
        }
        List<AdapterLayer> made = new ArrayList<>();
        for (Map.Entry<Slot, List<Integer>> place : places.entrySet()) {
            Slot slot = place.getKey();
            TrainedTokenRows.Values rows = values(setup, slot, place.getValue(), NAME_BESIDE, true);
            made.add(slot.layer() instanceof Embedding ? new TrainedTokenRows(slot, rows)
                    : new TokenColumns(slot, rows, List.of(rows.tensor())));
            if (tied && slot == embedding) {
                made.add(new TokenColumns(head, rows, List.of()));
            }
        }
        made.forEach(layer -> requireFree(layer.slot(), layers));
        return made;
    }

    private static boolean isTied(AdapterSetup setup, Slot slot) {
        return slot == setup.network().embedding() && setup.network().description().tiedEmbeddings();
    }

    private static Map<Slot, List<Integer>> places(AdapterSetup setup, TokenIndices tokens) {
        List<Slot> slots = setup.network().slots();
        Map<Slot, List<Integer>> places = new LinkedHashMap<>();
        if (!tokens.ofEmbedding().isEmpty()) {
            places.put(setup.network().embedding(), tokens.ofEmbedding());
        }
        tokens.byLayer().forEach((name, ids) -> {
            List<Slot> matched = slots.stream().filter(slot -> slot.path().endsWith(name)).toList();
            if (matched.isEmpty()) {
                throw new TargetModuleException("trainable_token_indices: '" + name + "' matches no layer; "
                        + SimilarNames.sentence(name, slots.stream().map(Slot::name).distinct().toList()));
            }
            matched.forEach(slot -> places.put(slot, ids));
        });
        return places;
    }

    private static TrainedTokenRows.Values values(AdapterSetup setup, Slot slot, List<Integer> tokens, String name,
            boolean asTheBase) {
        FrozenWeight weight = weight(slot);
        tokens.stream().filter(token -> token >= weight.rows()).findFirst().ifPresent(token -> {
            throw new ConfigurationException("token " + token + " is out of range at " + slot.path() + ", which has "
                    + weight.rows() + "; an adapter with new tokens needs a base that was loaded with them "
                    + "(ModelOptions.withNewTokens)");
        });
        return new TrainedTokenRows.Values(tokens.stream().mapToInt(Integer::intValue).toArray(),
                setup.tensor(slot, name, asTheBase ? copy(weight, tokens) : Initializer.normal(1), tokens.size(),
                        weight.columns()));
    }

    private static FrozenWeight weight(Slot slot) {
        if (slot.layer() instanceof Embedding embedding) {
            return embedding.table();
        }
        if (slot.layer() instanceof Linear linear && linear.bias().isEmpty()) {
            return linear.weight();
        }
        throw new TargetModuleException("single tokens can be trained in an embedding or in an output layer without "
                + "bias, not in " + slot);
    }

    private static Initializer copy(FrozenWeight weight, List<Integer> tokens) {
        return (values, random) -> {
            float[] row = new float[weight.columns()];
            for (int i = 0; i < tokens.size(); i++) {
                weight.readRow(tokens.get(i), row, 0);
                Arrays.write(values, (long) i * row.length, row, 0, row.length);
            }
        };
    }

    private static void requireFree(Slot slot, List<AdapterLayer> layers) {
        if (layers.stream().anyMatch(layer -> layer.slot() == slot)) {
            throw new ConfigurationException("trainable_token_indices trains rows of " + slot.path()
                    + ", which is also in target_modules or modules_to_save; choose one");
        }
    }

    /**
     * An output layer with trained rows: the logits of the k tokens are {@code x E^T}, E [k, H], in place of the
     * base's.
     *
     * <p>Merged: the rows.
     */
    private static final class TokenColumns extends ReplacementLayer {
        private final TrainedTokenRows.Values rows;
        private final List<AdapterTensor> own;

        /**
         * Made for the layer at a place.
         *
         * @param own what the file holds for this layer; empty where the rows are those of another layer
         */
        TokenColumns(Slot slot, TrainedTokenRows.Values rows, List<AdapterTensor> own) {
            super(slot);
            this.rows = rows;
            this.own = own;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            Tape tape = context.tape();
            Variable logits = MatrixOps.matmulTransposed(tape, x, tape.parameter(rows.tensor().parameter()));
            return ColumnOps.replaceColumns(tape, base.forward(context, x), logits, rows.tokens());
        }

        @Override
        public List<AdapterTensor> tensors() {
            return own;
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            rows.write(copy.weight());
        }
    }

    /**
     * An embedding with trained rows [k, H] in place of those of k tokens. The padding token's row is not trained by
     * it, as PyTorch's {@code padding_idx} has it.
     *
     * <p>Merged: the rows.
     */
    private static final class TrainedTokenRows extends ReplacementLayer {
        private final Embedding embedding;
        private final Values rows;
        private final Map<Integer, Integer> rowOf = new HashMap<>();
        private final Set<Integer> untrained;

        /**
         * Trained rows.
         *
         * @param tokens k token ids
         * @param tensor [k, H]
         */
        record Values(int[] tokens, AdapterTensor tensor) {
            /** The same, counted as parameters of the base model. */
            Values inPlaceOfBase() {
                return new Values(tokens, tensor.inPlaceOfBase());
            }

            /** Writes the rows into a weight [V, H]. */
            void write(INDArray weight) {
                float[] values = Arrays.toFloats(tensor.parameter().value());
                int width = Arrays.columns(weight);
                for (int i = 0; i < tokens.length; i++) {
                    Arrays.write(weight, (long) tokens[i] * width, values, i * width, width);
                }
            }
        }

        TrainedTokenRows(Slot slot, Values rows) {
            super(slot);
            this.embedding = (Embedding) slot.layer();
            this.rows = rows;
            for (int i = 0; i < rows.tokens().length; i++) {
                rowOf.put(rows.tokens()[i], i);
            }
            this.untrained = embedding.paddingId().isPresent() && rowOf.containsKey(embedding.paddingId().getAsInt())
                    ? Set.of(rowOf.get(embedding.paddingId().getAsInt())) : Set.of();
        }

        @Override
        public Variable forward(ForwardContext context, Variable x, Layer base) {
            int[] ids = embedding.ids(context.batch());
            int[] source = new int[ids.length];
            for (int i = 0; i < ids.length; i++) {
                source[i] = rowOf.getOrDefault(ids[i], -1);
            }
            return RowOps.replaceRows(context.tape(), base.forward(context, x),
                    ((Embedding) slot().layer()).scaled(context, context.tape().parameter(rows.tensor().parameter())),
                    source, untrained);
        }

        @Override
        public List<AdapterTensor> tensors() {
            return List.of(rows.tensor());
        }

        @Override
        public void mergeInto(MergedLayer copy) {
            rows.write(copy.weight());
        }
    }
}
