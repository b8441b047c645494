package io.peft4j.models.decoder;

import io.peft4j.core.autograd.ElementwiseOps;
import io.peft4j.core.autograd.Variable;
import io.peft4j.core.model.HeadedNetwork;
import io.peft4j.core.model.HeadedNetwork.PairPrompt;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.ForwardContext;
import io.peft4j.core.nn.PackedBatch;
import io.peft4j.core.nn.Slot;
import io.peft4j.models.architecture.LoadedNetwork;
import io.peft4j.models.architecture.NextTokenScore;
import io.peft4j.models.architecture.TaskPlan;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * A decoder that judges texts, by the hidden state of their last token, or tokens: a linear layer {@value #SCORE} in
 * place of the output layer, or the logits of the next token.
 */
final class DecoderClassifier extends LoadedNetwork implements HeadedNetwork {
    /** The path of the layer. */
    static final String SCORE = "score";

    private final DecoderNetwork body;
    private final TaskPlan plan;
    private final Optional<Slot> score;
    private final boolean fresh;
    private final boolean seesAll;

    /**
     * A classifier.
     *
     * @param score the layer; none where the next token judges
     * @param fresh whether the checkpoint had no such layer
     * @param seesAll whether each token sees all of its text
     */
    DecoderClassifier(DecoderNetwork body, TaskPlan plan, Optional<Slot> score, boolean fresh,
            boolean seesAll) {
        super(body.description(), body.slots(), List.of(body));
        this.body = body;
        this.plan = plan;
        this.score = score;
        this.fresh = fresh;
        this.seesAll = seesAll;
    }

    @Override
    public Task task() {
        return plan.task();
    }

    @Override
    public Slot embedding() {
        return body.embedding();
    }

    @Override
    public Optional<Slot> output() {
        return score.or(body::output);
    }

    @Override
    public Optional<PairPrompt> pairPrompt() {
        return score.isPresent() ? Optional.empty() : plan.scores().nextToken().map(NextTokenScore::prompt);
    }

    @Override
    public List<String> untrained() {
        return fresh ? List.of(SCORE) : List.of();
    }

    @Override
    public boolean scoresAreLogits() {
        return plan.scores().logits();
    }

    /** The rows that are judged are those of sequences of their own. */
    @Override
    public boolean sharesPrefixes() {
        return false;
    }

    @Override
    public boolean isCausal() {
        return !seesAll;
    }

    private ForwardContext seeing(ForwardContext context) {
        return seesAll ? context.seeingAll() : context;
    }

    @Override
    public List<Slot> decoderLayers() {
        return body.decoderLayers();
    }

    @Override
    public Variable statesBefore(ForwardContext context, int layer) {
        return body.statesBefore(seeing(context), layer);
    }

    @Override
    public Variable hidden(ForwardContext context) {
        return body.hidden(seeing(context));
    }

    @Override
    public Variable hidden(ForwardContext context, int... rows) {
        return body.hidden(seeing(context), rows);
    }

    @Override
    public Variable outputs(ForwardContext given) {
        ForwardContext context = seeing(given);
        PackedBatch batch = context.batch();
        int[] virtual = batch.virtualTokens();
        int[] rows = !plan.task().type().judgesTokens() ? batch.lastRows()
                : IntStream.range(0, batch.rows()).filter(i -> virtual.length == 0 || virtual[i] < 0).toArray();
        ForwardContext read = context.onRows(rows);
        Variable hidden = body.hidden(context, rows);
        return score.map(layer -> layer.forward(read, hidden)).orElseGet(() -> plan.scores().nextToken().orElseThrow()
                .of(read.tape(), ElementwiseOps.inFloat(read.tape(), body.logits(read, hidden))));
    }
}
