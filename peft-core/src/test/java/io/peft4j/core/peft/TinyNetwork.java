package io.peft4j.core.peft;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.autograd.AttentionOps;
import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Tape;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.AttentionInputs;
import io.peft4j.core.nn.Embedding;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.Linear;
import io.peft4j.core.nn.RmsNorm;
import io.peft4j.core.nn.SelfAttention;
import io.peft4j.core.nn.Slot;
import io.peft4j.core.peft.method.Initializer;
import io.peft4j.core.weight.DenseWeight;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import org.nd4j.linalg.api.buffer.DataType;
import org.nd4j.linalg.api.ndarray.INDArray;

/** A decoder of two layers with random weights, laid out and named as a Llama checkpoint; for tests. */
public final class TinyNetwork implements CausalNetwork {
    /** V. */
    public static final int VOCABULARY = 13;
    /** H. */
    public static final int HIDDEN = 8;
    /** Inner features of the feed-forward networks. */
    public static final int INNER = 12;
    /** Columns of keys and values. */
    public static final int KEYS = 4;
    /** Decoder layers. */
    public static final int LAYERS = 2;
    private static final AttentionShape SHAPE = new AttentionShape(2, 1, 4, 0.5f);

    private final RotaryTable rotary = new RotaryTable(new float[] {1f, 0.1f}, 64, 1);
    private final List<Slot> slots = new ArrayList<>();
    private final List<Slot> layers = new ArrayList<>();
    private final List<INDArray> weights = new ArrayList<>();
    private final SplittableRandom random;
    private final boolean biases;
    private final boolean tied;
    private final Slot embedding;
    private final Slot norm;
    private final Slot head;
    /** Where the layers are those of another network in another order. */
    private Optional<TinyNetwork> original = Optional.empty();
    private List<Integer> order = List.of();

    /**
     * A network.
     *
     * @param seed seed of the weights
     * @param biases whether the linear layers have biases, the output layer excepted
     * @param tied whether the output layer is the embedding
     */
    public TinyNetwork(long seed, boolean biases, boolean tied) {
        this.random = new SplittableRandom(seed);
        this.biases = biases;
        this.tied = tied;
        DenseWeight table = new DenseWeight(weight(1, VOCABULARY, HIDDEN));
        embedding = slot("model.embed_tokens", new Embedding(table));
        for (int i = 0; i < LAYERS; i++) {
            layers.add(decoderLayer(i, "model.layers." + i));
        }
        norm = norm("model.norm");
        head = slot("lm_head", new Linear(tied ? table : new DenseWeight(weight(1, VOCABULARY, HIDDEN)),
                Optional.empty()));
    }

    private TinyNetwork(TinyNetwork original, List<Integer> order) {
        this.random = original.random;
        this.biases = original.biases;
        this.tied = original.tied;
        this.original = Optional.of(original);
        this.order = order;
        embedding = slot(original.embedding.path(), original.embedding.layer());
        for (int i = 0; i < order.size(); i++) {
            layers.add(decoderLayer(i, "model.layers." + i));
        }
        norm = slot(original.norm.path(), original.norm.layer());
        head = slot(original.head.path(), original.head.layer());
    }

    @Override
    public TinyNetwork withLayers(List<Integer> layerOrder) {
        return new TinyNetwork(this, layerOrder);
    }

    /** The layer that another network has in the place of this path. */
    private Optional<Layer> shared(String path) {
        return original.map(other -> {
            String[] parts = path.split("\\.", 4);
            return other.slot("model.layers." + order.get(Integer.parseInt(parts[2])) + "." + parts[3]).layer();
        });
    }

    private Slot decoderLayer(int index, String path) {
        int at = slots.size();
        Slot norm1 = norm(path + ".input_layernorm");
        Slot attention = attention(index, path + ".self_attn");
        Slot norm2 = norm(path + ".post_attention_layernorm");
        Slot mlp = mlp(path + ".mlp");
        return slotAt(at, path, (context, x) -> {
            Variable h = ElementwiseOps.addInto(context.tape(), x,
                    attention.forward(context, norm1.forward(context, x)));
            return ElementwiseOps.addInto(context.tape(), h, mlp.forward(context, norm2.forward(context, h)));
        });
    }

    private Slot attention(int index, String path) {
        int at = slots.size();
        Slot query = linear(path + ".q_proj", HIDDEN, HIDDEN);
        Slot key = linear(path + ".k_proj", KEYS, HIDDEN);
        Slot value = linear(path + ".v_proj", KEYS, HIDDEN);
        Slot output = linear(path + ".o_proj", HIDDEN, HIDDEN);
        return slotAt(at, path, new Attention(index, rotary, query, key, value, output));
    }

    private record Attention(int index, RotaryTable rotary, Slot query, Slot key, Slot value, Slot output)
            implements
                SelfAttention {
        @Override
        public AttentionShape shape() {
            return SHAPE;
        }

        @Override
        public Variable forward(ForwardContext context, Variable x) {
            Tape tape = context.tape();
            int[] positions = context.batch().positions();
            Variable q = AttentionOps.rotary(tape, query.forward(context, x), 4, rotary, positions);
            Variable k = AttentionOps.rotary(tape, key.forward(context, x), 4, rotary, positions);
            Variable v = value.forward(context, x);
            return output.forward(context, context.attend(
                    new AttentionInputs(index, SHAPE, context.batch().layout(), q, k, v)));
        }
    }

    private Slot mlp(String path) {
        int at = slots.size();
        Slot gate = linear(path + ".gate_proj", INNER, HIDDEN);
        Slot up = linear(path + ".up_proj", INNER, HIDDEN);
        Slot down = linear(path + ".down_proj", HIDDEN, INNER);
        return slotAt(at, path, (context, x) -> down.forward(context,
                ElementwiseOps.gated(context.tape(), Activation.SILU, gate.forward(context, x),
                        up.forward(context, x))));
    }

    private Slot linear(String path, int out, int in) {
        return slot(path, shared(path).orElseGet(() -> new Linear(new DenseWeight(weight(0.8 / Math.sqrt(in), out, in)),
                biases ? Optional.of(weight(0.3, out)) : Optional.empty())));
    }

    private Slot norm(String path) {
        return slot(path, shared(path).orElseGet(TinyNetwork.this::newNorm));
    }

    private Layer newNorm() {
        INDArray weight = weight(0.2, HIDDEN);
        float[] values = Arrays.toFloats(weight);
        for (int i = 0; i < values.length; i++) {
            values[i] += 1;
        }
        Arrays.write(weight, 0, values, 0, values.length);
        return new RmsNorm(weight, 1e-5f);
    }

    private INDArray weight(double size, long... shape) {
        INDArray weight = Arrays.zeros(DataType.FLOAT, shape);
        Initializer.normal(size).fill(weight, random);
        weights.add(weight);
        return weight;
    }

    private Slot slot(String path, Layer layer) {
        return slotAt(slots.size(), path, layer);
    }

    private Slot slotAt(int index, String path, Layer layer) {
        Slot slot = new Slot(path, layer);
        slots.add(index, slot);
        return slot;
    }

    /** All weights of the network, the arrays themselves. */
    public List<INDArray> weights() {
        return original.map(TinyNetwork::weights).orElseGet(() -> List.copyOf(weights));
    }

    @Override
    public ModelDescription description() {
        return new ModelDescription("tiny", "llama", VOCABULARY, HIDDEN, layers.size(), 64, tied, DataType.FLOAT,
                original.orElse(this).weights.stream().mapToLong(INDArray::length).sum());
    }

    @Override
    public List<Slot> slots() {
        return List.copyOf(slots);
    }

    /** The place with the given path. */
    public Slot slot(String path) {
        return slots.stream().filter(slot -> slot.path().equals(path)).findFirst().orElseThrow();
    }

    @Override
    public Slot embedding() {
        return embedding;
    }

    @Override
    public Slot head() {
        return head;
    }

    @Override
    public List<Slot> decoderLayers() {
        return List.copyOf(layers);
    }

    @Override
    public Variable statesBefore(ForwardContext context, int layer) {
        Variable x = context.start().map(given -> context.tape().constant(given.states()))
                .orElseGet(() -> embedding.forward(context, context.noInput()));
        for (Slot next : layers.subList(context.start().map(ForwardContext.LayerStates::layer).orElse(0), layer)) {
            x = context.block(x, next::forward);
        }
        return x;
    }

    @Override
    public Variable hidden(ForwardContext context) {
        return context.block(statesBefore(context, layers.size()), norm::forward);
    }

    @Override
    public KvCache newCache(int rows) {
        throw new UnsupportedOperationException("the tiny network generates without a cache");
    }

    @Override
    public void close() {
        weights.forEach(INDArray::close);
    }
}
