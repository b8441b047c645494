package io.peft4j.models.encoder;

import io.peft4j.core.autograd.Variable;
import io.peft4j.core.kernel.AttentionExtras;
import io.peft4j.core.kernel.AttentionLayout;
import io.peft4j.core.kernel.AttentionShape;
import io.peft4j.core.kernel.RotaryTable;
import io.peft4j.core.model.ModelDescription;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.Layer;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.FeedForward;
import io.peft4j.models.architecture.RelativeBias;
import io.peft4j.models.architecture.SentenceVectors;
import io.peft4j.models.architecture.TaskPlan;
import io.peft4j.models.architecture.WeightLoader;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Builds an {@link EncoderNetwork} from a checkpoint; the paths of the places are the checkpoint's tensor names. */
final class EncoderBuilder {
    private static final Logger LOG = LoggerFactory.getLogger(EncoderBuilder.class);

    private final EncoderPlan plan;
    private final WeightLoader weights;
    private final TaskPlan task;
    private final EncoderPlaces places;
    private final boolean marks;
    private final String prefix;
    private final Map<Double, RotaryTable> tables = new HashMap<>();
    private final Map<String, Slot> distanceTables = new HashMap<>();
    private final Map<String, RelativeBias> biases = new HashMap<>();

    /**
     * A builder.
     *
     * @param prefix the prefix of the names of the network's tensors where it has a head, with a dot
     * @param checkpointName what some checkpoints call a tensor
     */
    EncoderBuilder(EncoderPlan plan, String prefix, UnaryOperator<String> checkpointName, WeightLoader weights,
            TaskPlan task) {
        this.plan = plan;
        this.weights = weights;
        this.task = task;
        boolean decides = task.task().type() == Task.Type.DECISION;
        // A new head has to learn what the vectors of an embedder say of a text and an option from the start.
        this.marks = decides && (task.pooling().folder().isEmpty() || DecisionHead.isIn(weights));
        this.prefix = marks ? DecisionHead.ENCODER
                : decides || task.task().type() == Task.Type.FEATURE_EXTRACTION ? "" : prefix;
        this.places = new EncoderPlaces(weights, new EncoderPlaces.Naming(prefix, this.prefix, checkpointName),
                plan.norm(), task.seed());
    }

    /**
     * Builds the network.
     *
     * @param head the head, where the task has one
     * @param pooler the name of a layer that the network has besides, which hidden states do not need
     */
    EncoderNetwork build(String name, String modelType, Optional<HeadPlan> head, Optional<String> pooler) {
        TextEmbeddings embeddings = embeddings();
        List<Slot> layers = new ArrayList<>();
        for (EncoderPlan.LayerPlan layer : plan.layers()) {
            layer.attention().positions().ifPresent(this::distanceTable);
            layers.add(layer(layers.size(), layer));
        }
        Optional<Slot> finalNorm = plan.finalNorm().map(norm -> places.norm(prefix + norm, plan.sizes().hidden()));
        pooler.map(path -> prefix + path).filter(places::has)
                .ifPresent(path -> places.linear(path, plan.sizes().hidden(), plan.sizes().hidden(), true));
        Optional<Slot> layersOfHead = marks
                ? Optional.of(new Slot("", DecisionHead.build(places, plan.sizes().hidden(), layers.size())))
                : head.map(this::head);
        if (!places.fresh().isEmpty()) {
            LOG.info("{} has no layers {} for {}; they are initialized, and adapters train and save them", name,
                    places.fresh(), task.task().type());
        }
        ModelDescription description = new ModelDescription(name, modelType, plan.sizes().vocabulary(),
                plan.sizes().hidden(), layers.size(), maxPositions(), false, weights.activationType(),
                places.parameters());
        List<AutoCloseable> owned = new ArrayList<>(biases.values());
        owned.addAll(weights.takeOwnership());
        return new EncoderNetwork(description, task, new EncoderNetwork.Parts(embeddings, layers, finalNorm,
                layersOfHead, layersOfHead.isPresent() ? Optional.empty()
                        : Optional.of(SentenceVectors.of(task.pooling(), weights))),
                places.all(), places.fresh(), owned);
    }

    private int maxPositions() {
        return Math.min(plan.sizes().maxPositions(), task.maxTokens().orElse(Integer.MAX_VALUE));
    }

    private TextEmbeddings embeddings() {
        EncoderPlan.Embeddings embeddings = plan.embeddings();
        List<Slot> tables = new ArrayList<>();
        tables.add(places.table(prefix + embeddings.words(), plan.sizes().vocabulary(), embeddings.width(),
                plan.sizes().paddingId(), PackedBatch::tokens));
        // The order in which PyTorch adds them up does not matter to more than rounding.
        embeddings.positions().ifPresent(table -> tables.add(table(table, batch -> positions(batch, table))));
        // The types of a question's tokens are its kind, which the head reads.
        boolean none = marks;
        embeddings.types().ifPresent(table -> tables.add(table(table,
                batch -> none || batch.types().length == 0 ? new int[batch.rows()] : batch.types())));
        Optional<Slot> norm = embeddings.norm().map(path -> places.norm(prefix + path, embeddings.width()));
        return new TextEmbeddings(tables, none ? 0 : embeddings.types().map(EncoderPlan.Table::rows).orElse(0), norm,
                embeddings.projection().map(path -> places.linear(prefix + path, plan.sizes().hidden(),
                        embeddings.width(), true)),
                plan.dropout());
    }

    private Slot table(EncoderPlan.Table table, Function<PackedBatch, int[]> ids) {
        return places.table(prefix + table.name(), table.rows(), plan.embeddings().width(), OptionalInt.empty(), ids);
    }

    /** The rows of positions; where they begin behind the padding token's, that token has its own and counts not. */
    private int[] positions(PackedBatch batch, EncoderPlan.Table table) {
        int padding = table.offset() == 0 ? -1 : table.offset() - 1;
        int[] rows = new int[batch.rows()];
        int skipped = 0;
        for (int i = 0; i < rows.length; i++) {
            skipped = batch.positions()[i] == 0 ? 0 : skipped;
            boolean pads = batch.tokens()[i] == padding;
            skipped += pads ? 1 : 0;
            rows[i] = pads ? padding : batch.positions()[i] - skipped + table.offset();
        }
        return rows;
    }

    private Slot layer(int index, EncoderPlan.LayerPlan layer) {
        int hidden = plan.sizes().hidden();
        return places.containing(prefix + layer.path(), () -> {
            Slot attention = attention(index, layer.attention());
            Slot output = places.linear(prefix + layer.attention().output(), hidden,
                    layer.attention().heads() * layer.attention().headSize(), layer.attention().bias());
            Optional<Slot> norm = layer.attentionNorm().map(path -> places.norm(prefix + path, hidden));
            EncoderPlan.FeedForwardPlan inner = layer.feedForward();
            FeedForward feedForward = new FeedForward(
                    inner.up().stream().map(path -> places.linear(prefix + path,
                            (inner.gated() ? 2 : 1) * inner.width() / inner.up().size(), hidden, inner.bias()))
                            .toList(),
                    places.linear(prefix + inner.down(), hidden, inner.width(), inner.bias()), inner.activation(),
                    inner.gated(), 0);
            Slot feedForwardNorm = places.norm(prefix + layer.feedForwardNorm(), hidden);
            return new EncoderLayer(new EncoderLayer.Parts(attention, output, norm, feedForward, feedForwardNorm),
                    layer.normsFirst(), plan.dropout());
        });
    }

    private Slot attention(int index, EncoderPlan.AttentionPlan attention) {
        int headSize = attention.headSize();
        if (attention.positions().orElse(null) instanceof EncoderPlan.Disentangled distances) {
            int compared = 1 + (distances.keys().isPresent() ? 1 : 0) + (distances.queries().isPresent() ? 1 : 0);
            AttentionShape shape = new AttentionShape(attention.heads(), attention.heads(), headSize,
                    (float) (1 / Math.sqrt((double) headSize * compared)));
            return places.containing(prefix + attention.path(), () -> disentangled(shape, attention, distances));
        }
        AttentionShape shape = new AttentionShape(attention.heads(), attention.keyValueHeads(), headSize,
                (float) (1 / Math.sqrt(headSize)));
        Optional<EncoderPlan.Positions> positions = attention.positions();
        Optional<RotaryTable> rotary = positions.filter(EncoderPlan.Rotary.class::isInstance)
                .map(own -> table(((EncoderPlan.Rotary) own).theta(), headSize));
        AttentionExtras bias = positions.filter(EncoderPlan.Relative.class::isInstance)
                .map(own -> bias((EncoderPlan.Relative) own, attention.heads())).orElse(AttentionExtras.NONE);
        return places.containing(prefix + attention.path(), () -> new EncoderAttention(index, shape,
                attention.projections().stream().map(name -> projection(attention, name)).toList(), rotary,
                attention.window(), bias));
    }

    private AttentionExtras bias(EncoderPlan.Relative relative, int heads) {
        return biases.computeIfAbsent(relative.table(), name -> {
            RelativeBias made = new RelativeBias(places.floats(prefix + name, relative.buckets(), heads),
                    relative.farthest(), true);
            places.place(prefix + name, made);
            return made;
        }).extras();
    }

    private Slot projection(EncoderPlan.AttentionPlan attention, String name) {
        int hidden = plan.sizes().hidden();
        int rows = attention.headSize() * (attention.projections().size() == 1 ? 3 * attention.heads()
                : attention.projections().indexOf(name) <= 0 ? attention.heads() : attention.keyValueHeads());
        String path = prefix + attention.path() + ".";
        Optional<String> together = attention.together().map(stored -> path + stored).filter(places::has);
        return together.isPresent() ? places.part(path + name, together.get(), attention.projections().indexOf(name),
                rows, hidden) : places.linear(path + name, rows, hidden, attention.bias());
    }

    private DisentangledAttention disentangled(AttentionShape shape, EncoderPlan.AttentionPlan attention,
            EncoderPlan.Disentangled distances) {
        Map<String, Slot> projections = new HashMap<>();
        attention.projections().forEach(name -> projections.put(name, projection(attention, name)));
        Stream.of(distances.keys(), distances.queries()).flatMap(Optional::stream)
                .forEach(name -> projections.computeIfAbsent(name, own -> projection(attention, own)));
        List<Slot> content = attention.projections().stream().map(projections::get).toList();
        return new DisentangledAttention(shape, new DisentangledAttention.Content(content.get(0), content.get(1),
                content.get(2)),
                new DisentangledAttention.Distances(distanceTables.get(distances.table()),
                        distances.norm().map(distanceTables::get), distances.buckets(),
                        distances.keys().map(projections::get), distances.queries().map(projections::get)),
                plan.dropout());
    }

    /** Makes the embeddings of distances, once for all layers. */
    private void distanceTable(EncoderPlan.Positions positions) {
        if (positions instanceof EncoderPlan.Disentangled distances) {
            int hidden = plan.sizes().hidden();
            distanceTables.computeIfAbsent(distances.table(), name -> places.table(prefix + name,
                    2 * distances.buckets().span(), hidden, OptionalInt.empty(), PackedBatch::tokens));
            distances.norm().ifPresent(
                    norm -> distanceTables.computeIfAbsent(norm, name -> places.norm(prefix + name, hidden)));
        }
    }

    private RotaryTable table(double theta, int headSize) {
        return tables.computeIfAbsent(theta, base -> {
            float[] frequencies = new float[headSize / 2];
            for (int i = 0; i < frequencies.length; i++) {
                frequencies[i] = (float) (1 / Math.pow(base, 2.0 * i / headSize));
            }
            return new RotaryTable(frequencies, plan.sizes().maxPositions(), 1);
        });
    }

    /** The head; where all of it lies below one name, that is a place, too. */
    private Slot head(HeadPlan head) {
        int dot = head.output().lastIndexOf('.');
        if (dot < 0) {
            return new Slot("", layersOf(head));
        }
        return places.containing(head.output().substring(0, dot), () -> layersOf(head));
    }

    private EncoderNetwork.EncoderHead layersOf(HeadPlan head) {
        int hidden = plan.sizes().hidden();
        List<EncoderNetwork.EncoderHead.Step> steps = head.steps().stream()
                .map(step -> new EncoderNetwork.EncoderHead.Step(
                        places.headLinear(step.path(), hidden, hidden, step.bias(), head.deviation()),
                        step.activation(),
                        step.norm().map(path -> places.headNorm(path, hidden)), step.dropout()))
                .toList();
        Slot output = places.headLinear(head.output(), task.outputs(), hidden, true, head.deviation());
        return new EncoderNetwork.EncoderHead(head.rows(), steps, output, head.dropout());
    }

    /**
     * DeBERTa's self-attention (<a href="https://arxiv.org/abs/2006.03654">2006.03654</a>) between the projections of
     * its input and that of its result, x [N, H], result [N, heads x D]. Scores compare contents, and contents with
     * distances:
     *
     * <p>{@code score(i, j) = (q_i k_j + q_i pk_r + k_j pq_r) scale}, {@code r} the row of the distance {@code i - j}
     * in a table of embeddings, {@code pk} and {@code pq} projections of that table.
     *
     * <p>It has no step between projections that adapters could put something around.
     *
     * @param dropout probability with which elements of the embeddings of distances are dropped in training
     */
    private record DisentangledAttention(AttentionShape shape, Content content, Distances distances,
            float dropout) implements Layer {
        /** The projections of the input. */
        record Content(Slot queries, Slot keys, Slot values) {
        }

        /**
         * What scores know of distances.
         *
         * @param table the embeddings, [rows, H]
         * @param norm a norm of the embeddings, if there is one
         * @param buckets which row a distance has
         * @param keys the projection that queries are compared with, where they are
         * @param queries the projection that keys are compared with, where they are
         */
        record Distances(Slot table, Optional<Slot> norm, DistanceBuckets buckets, Optional<Slot> keys,
                Optional<Slot> queries) {
        }

        @Override
        public Variable forward(ForwardContext context, Variable x) {
            AttentionLayout layout = context.batch().layout();
            int longest = layout.segments().stream().mapToInt(AttentionLayout.Segment::queries).max().orElse(1);
            int first = distances.buckets().row(1 - longest);
            int last = distances.buckets().row(longest - 1);
            ForwardContext onTable = context.onTable(IntStream.rangeClosed(first, last).toArray());
            Variable embedded = embeddings(onTable);
            return DisentangledScores.attention(context.tape(), new DisentangledScores.Inputs(
                    content.queries().forward(context, x), content.keys().forward(context, x),
                    content.values().forward(context, x), distances.keys().map(slot -> slot.forward(onTable, embedded)),
                    distances.queries().map(slot -> slot.forward(onTable, embedded))), layout, shape,
                    distance -> distances.buckets().row(distance) - first);
        }

        private Variable embeddings(ForwardContext onTable) {
            Variable rows = distances.table().forward(onTable, onTable.noInput());
            Variable normed = distances.norm().isPresent() ? distances.norm().get().forward(onTable, rows) : rows;
            return FeedForward.dropped(onTable, normed, dropout);
        }
    }
}
