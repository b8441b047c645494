package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.RowOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.kernel.Activation;
import io.peft4j.core.model.CausalNetwork;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.KvCache;
import io.peft4j.core.nn.LayerMemory;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.BatchChecks;
import io.peft4j.models.architecture.LayerCopy;
import io.peft4j.models.architecture.LoadedNetwork;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A decoder of any family: token embedding, decoder layers, a final norm and an output layer, as its
 * {@link DecoderPlan} says. Built by {@link DecoderBuilder}; owns its weights.
 */
final class DecoderNetwork extends LoadedNetwork implements CausalNetwork {
    private final DecoderPlan plan;
    private final Parts parts;

    /** The places of the parts, in the order of the computation. */
    record Parts(Slot embedding, Optional<Slot> positions, Optional<Slot> embeddingNorm,
            Optional<LayerInputs> layerInputs, List<Slot> layers, Slot norm, Optional<OutputTransform> transform,
            Slot head) {
        /** Copies the list. */
        Parts {
            layers = List.copyOf(layers);
        }

        /** The same with another output layer, and what precedes it. */
        Parts withHead(Optional<OutputTransform> before, Slot output) {
            return new Parts(embedding, positions, embeddingNorm, layerInputs, layers, norm, before, output);
        }

        Parts withLayers(List<Slot> other) {
            return new Parts(embedding, positions, embeddingNorm, layerInputs, other, norm, transform, head);
        }
    }

    /** What precedes the output layer: {@code norm(f(linear(x)))}. */
    record OutputTransform(Slot linear, Activation activation, Slot norm) {
        Variable forward(ForwardContext context, Variable x) {
            return norm.forward(context, ElementwiseOps.activate(context.tape(), activation,
                    linear.forward(context, x)));
        }
    }

    DecoderNetwork(ModelDescription description, DecoderPlan plan, Parts parts, List<Slot> slots,
            List<AutoCloseable> weights) {
        super(description, slots, weights);
        this.plan = plan;
        this.parts = parts;
    }

    @Override
    public Slot embedding() {
        return parts.embedding();
    }

    @Override
    public Slot head() {
        return parts.head();
    }

    @Override
    public List<Slot> decoderLayers() {
        return plan.isWhole() ? List.of() : parts.layers();
    }

    @Override
    public Variable statesBefore(ForwardContext context, int layer) {
        if (layer < 0 || layer >= parts.layers().size()) {
            throw new IllegalArgumentException(noLayer(layer));
        }
        return below(context, layer).states();
    }

    @Override
    public Variable hidden(ForwardContext context) {
        return context.block(below(context, parts.layers().size()).states(), parts.norm()::forward);
    }

    @Override
    public Variable hidden(ForwardContext context, int... rows) {
        int[] wanted = IntStream.of(rows).sorted().distinct().toArray();
        Slot last = parts.layers().get(parts.layers().size() - 1);
        DecoderLayer layer = (DecoderLayer) last.layer();
        if (wanted.length == context.batch().rows() || context.layers().at(last) != layer
                || context.routerLoss().isPresent() || context.layers().needsAllRows(context.isTraining())
                || !layer.canSelectRows(context)) {
            return RowOps.gatherRows(context.tape(), hidden(context), rows);
        }
        Reached before = below(context, parts.layers().size() - 1);
        Variable x = before.context().block(before.states(), (c, input) -> layer.forward(c, input, wanted));
        Variable hidden = context.onRows(wanted).block(x, parts.norm()::forward);
        return Arrays.equals(rows, wanted) ? hidden : RowOps.gatherRows(context.tape(), hidden,
                IntStream.of(rows).map(row -> Arrays.binarySearch(wanted, row)).toArray());
    }

    @Override
    public double routerLossCoefficient() {
        return plan.routerLoss();
    }

    /** What routers add to the loss counts the tokens of each sequence. */
    @Override
    public boolean sharesPrefixes() {
        return plan.routerLoss() == 0 && !dependsOnLength();
    }

    @Override
    public boolean dependsOnLength() {
        return plan.layers().stream().anyMatch(layer -> layer.mixer().attention()
                .flatMap(attention -> attention.positions().rotary()).filter(RotaryEmbedding::dependsOnLength)
                .isPresent());
    }

    /** How far a pass has come: what enters the next layer, and the pass with what layers have shared so far. */
    private record Reached(ForwardContext context, Variable states) {
    }

    /** What comes out of the embedding and the first {@code layers} decoder layers. */
    private Reached below(ForwardContext context, int layers) {
        BatchChecks.requirePositions(context.batch(), description());
        BatchChecks.requireTokens(context.batch(), description());
        int first = context.start().map(ForwardContext.LayerStates::layer).orElse(0);
        Variable x = context.start().map(given -> context.tape().constant(given.states()))
                .orElseGet(() -> embedded(context));
        Variable embedded = x;
        ForwardContext pass = parts.layerInputs().map(inputs -> inputs.given(context, embedded)).orElse(context);
        for (int i = first; i < layers; i++) {
            Slot slot = parts.layers().get(i);
            pass = ((DecoderLayer) slot.layer()).sharing(pass, x);
            x = pass.block(x, slot::forward, parts.layers().size() - 1 - i);
        }
        return new Reached(pass, x);
    }

    private Variable embedded(ForwardContext context) {
        Variable x = parts.embedding().forward(context, context.noInput());
        Variable placed = parts.positions().map(positions -> ElementwiseOps.addInto(context.tape(), x,
                positions.forward(context, context.noInput()))).orElse(x);
        Variable input = scaled(context, placed, plan.scales().input());
        return parts.embeddingNorm().map(norm -> norm.forward(context, input)).orElse(input);
    }

    @Override
    public Variable logits(ForwardContext context, Variable hidden) {
        Variable read = parts.transform().map(transform -> transform.forward(context, hidden)).orElse(hidden);
        Variable logits = scaled(context, parts.head().forward(context, read), plan.scales().logits());
        float cap = plan.scales().logitCap();
        // The gradient of a cap reads its result, and a loss may write over the logits: they are a copy.
        return cap == 0 ? logits : ElementwiseOps.scale(context.tape(),
                ElementwiseOps.softCap(context.tape(), logits, cap), 1);
    }

    private static Variable scaled(ForwardContext context, Variable x, float factor) {
        return factor == 1 ? x : ElementwiseOps.scale(context.tape(), x, factor);
    }

    private String noLayer(int number) {
        return "no layer " + number + "; " + description().name() + " has layers 0 to "
                + (parts.layers().size() - 1);
    }

    @Override
    public CausalNetwork withLayers(List<Integer> order) {
        if (plan.isWhole()) {
            throw new ConfigurationException(
                    "layers of " + description().name() + " read keys and values of others, or "
                            + "an input of their own, so none can be repeated or omitted");
        }
        List<Slot> all = new ArrayList<>(slots().subList(0, slots().indexOf(parts.layers().get(0))));
        List<Slot> layers = new ArrayList<>();
        for (int number : order) {
            if (number < 0 || number >= parts.layers().size()) {
                throw new ConfigurationException(noLayer(number));
            }
            Slot layer = parts.layers().get(number);
            layers.add(new LayerCopy(layers.size(), layer.path(), plan.names().layers() + "." + layers.size(), all)
                    .of(layer));
        }
        if (layers.isEmpty()) {
            throw new ConfigurationException("a model needs at least one layer, but the list is empty");
        }
        all.addAll(slots().subList(slots().indexOf(parts.norm()), slots().size()));
        return new DecoderNetwork(description().withLayers(layers.size()), plan,
                parts.withLayers(layers), all, List.of());
    }

    /** What each layer remembers of a sequence. */
    List<LayerMemory> memory() {
        return parts.layers().stream().map(slot -> ((DecoderLayer) slot.layer()).memory()).toList();
    }

    @Override
    public KvCache newCache(int rows) {
        return new KvCache(memory(), rows, description().activationType());
    }
}
