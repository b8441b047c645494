package io.peft4j.train.objective;

import io.peft4j.core.array.Arrays;
import io.peft4j.core.error.ConfigurationException;
import io.peft4j.core.error.SimilarNames;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Model;
import io.peft4j.core.model.Task;
import io.peft4j.core.nn.TokenSequence;
import io.peft4j.core.task.Reranker;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.data.task.RankedQuery;
import io.peft4j.data.task.RowKind;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Texts that answer a query get higher scores than others, from a model that reads the query with each of them, as
 * cross-encoders of sentence-transformers learn it. An example is a query with all its texts.
 */
public final class RerankingObjective extends HeadObjective<RankedQuery> {
    /** What is minimized. */
    public enum Loss {
        /**
         * The mean over all texts of the logistic loss of a score, whose target is the relevance, from 0 to 1
         * (BinaryCrossEntropyLoss): scores are probabilities.
         */
        BINARY,
        /**
         * The mean over all queries of the cross-entropy of the scores' softmax with that of the relevance
         * (ListNetLoss): only the order is learned.
         */
        LISTNET
    }

    private final TextEncoder encoder;
    private final Loss loss;

    /**
     * An objective for a model.
     *
     * @throws ConfigurationException when the model was loaded for another task than SEQ_CLS, or has not one label
     */
    public RerankingObjective(Model model, Loss loss) {
        super(model, Task.Type.SEQ_CLS);
        if (!Reranker.isFor(task())) {
            throw new ConfigurationException(model.network().description().name() + " has the labels "
                    + task().labels() + ", and reranking trains models with one output; load it for Task.RERANKING");
        }
        this.encoder = TextEncoder.of(model);
        this.loss = loss;
    }

    @Override
    public String name() {
        return "reranking";
    }

    @Override
    public Map<String, String> settings() {
        return Map.of("ranking-loss", loss.name().toLowerCase(Locale.ROOT));
    }

    /** Refuses data from which no order can be learned. */
    @Override
    public EncodedExamples encode(List<RankedQuery> examples, DataSetup setup) {
        if (examples.stream().flatMap(example -> example.relevance().stream()).distinct().count() < 2) {
            throw new ConfigurationException("all texts of the " + setup.kind() + " examples are equally relevant; add "
                    + "texts that do not answer their query (\"negatives\")");
        }
        return super.encode(examples, setup);
    }

    @Override
    public List<EncodedExample> encode(RankedQuery example) {
        if (loss == Loss.BINARY && Collections.max(example.relevance()) > 1) {
            throw new ConfigurationException("a text has the relevance " + Collections.max(example.relevance())
                    + "; the binary loss takes those from 0 to 1, the loss listnet any");
        }
        List<TokenSequence> pairs = example.texts().stream().map(text -> encoder.pair(example.query(), text)).toList();
        float[] targets = Arrays.floats(example.relevance().stream().mapToDouble(Double::doubleValue).toArray());
        return List.of(new EncodedExample(pairs, targets, loss == Loss.BINARY ? targets.length : 1, targets.length));
    }

    @Override
    int limit() {
        return encoder.limit();
    }

    @Override
    boolean isCut(RankedQuery example) {
        return example.texts().stream().anyMatch(text -> encoder.cuts(example.query(), text));
    }

    @Override
    double loss(List<EncodedExample> batch, float[] outputs, int columns, double[] gradient) {
        double sum = 0;
        int first = 0;
        for (EncodedExample example : batch) {
            float[] targets = example.targets();
            sum += loss == Loss.BINARY ? binary(targets, outputs, first, gradient)
                    : listNet(targets, outputs, first, gradient);
            first += targets.length;
        }
        return sum;
    }

    private static double binary(float[] targets, float[] outputs, int first, double[] gradient) {
        double sum = 0;
        for (int i = 0; i < targets.length; i++) {
            double score = outputs[first + i];
            sum += targets[i] * Logistic.negativeLogSigmoid(score)
                    + (1 - targets[i]) * Logistic.negativeLogSigmoid(-score);
            gradient[first + i] = Logistic.sigmoid(score) - targets[i];
        }
        return sum;
    }

    private static double listNet(float[] targets, float[] outputs, int first, double[] gradient) {
        CrossEntropy.Row row = new CrossEntropy.Row(outputs, first, 1, targets.length);
        double all = IntStream.range(0, targets.length).mapToDouble(i -> Math.exp(targets[i])).sum();
        return IntStream.range(0, targets.length).mapToDouble(i -> CrossEntropy.of(row, i, Math.exp(targets[i]) / all,
                gradient)).sum();
    }

    /** The share of queries whose most relevant text comes first. */
    @Override
    void measure(Passes passes, List<EncodedExample> batch, float[] outputs, int columns) {
        int right = 0;
        int first = 0;
        for (EncodedExample example : batch) {
            float[] targets = example.targets();
            right += targets[best(outputs, first, 1, targets.length)] == targets[best(targets, 0, 1, targets.length)]
                    ? 1 : 0;
            first += targets.length;
        }
        passes.measure(ACCURACY, right, batch.size());
    }

    /** The objective by its name. */
    public static final class Type extends HeadType<RankedQuery> {
        private static final ObjectiveOption<String> LOSS = ObjectiveOption.word("ranking-loss", "binary|listnet",
                "whether each text's relevance is learned separately, or the order of a query's texts", "binary");

        /** What is registered. */
        public Type() {
            super("reranking", RowKind.RANKINGS, "{\"query\", \"positive\", \"negatives\"}, or {\"text\", "
                    + "\"text_pair\", \"label\"} with the relevance as label", rows -> Task.RERANKING,
                    model -> new RerankingObjective(model, Loss.BINARY), LOSS);
        }

        @Override
        protected Function<LanguageModel, Objective<RankedQuery>> objective(ObjectiveValues values) {
            String name = values.get(LOSS);
            Loss loss = Stream.of(Loss.values()).filter(each -> each.name().toLowerCase(Locale.ROOT).equals(name))
                    .findFirst().orElseThrow(() -> new ConfigurationException("unknown loss '" + name + "'; "
                            + SimilarNames.sentence(name, List.of("binary", "listnet"))));
            return model -> new RerankingObjective(model, loss);
        }
    }
}
