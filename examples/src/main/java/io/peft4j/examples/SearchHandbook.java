package io.peft4j.examples;

import com.fasterxml.jackson.databind.node.TextNode;
import io.peft4j.core.decision.DecisionQuestion;
import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.peft.config.TargetModules;
import io.peft4j.core.task.DecisionModel;
import io.peft4j.core.task.Reranker;
import io.peft4j.core.task.TextEmbedder;
import io.peft4j.data.ChatDataset;
import io.peft4j.data.augment.HardNegatives;
import io.peft4j.data.augment.NegativeOptions;
import io.peft4j.data.task.DecisionRow;
import io.peft4j.data.task.RankedQuery;
import io.peft4j.data.task.TextPair;
import io.peft4j.eval.head.SearchQuality;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.ContrastiveObjective;
import io.peft4j.train.objective.DecisionObjective;
import io.peft4j.train.objective.RerankingObjective;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * A search in a handbook, learned from its passages and questions: an embedder finds passages, a reranker orders them,
 * and a decision says whether the answer is among them. Three adapters on two small models in one process. A reranker
 * with a new head may order worse than a trained embedder, which the program says. Arguments:
 * the folder with {@code train.jsonl} and {@code heldout.jsonl}, an output folder, and where others are wanted, an
 * encoder and a chat model.
 */
public final class SearchHandbook {
    private static final DecisionQuestion ANSWERED = DecisionQuestion.yesNo("Do the passages answer the question?");
    /** Passages that the reranker reads, and those of them that are shown. */
    private static final int FOUND = 10;
    private static final int SHOWN = 2;

    private final List<String> passages;
    private final List<TextPair> learned;
    private final List<TextPair> held;
    private final Path output;

    private SearchHandbook(Path folder, Path output) {
        this.learned = pairs(folder.resolve("train.jsonl"));
        this.held = pairs(folder.resolve("heldout.jsonl"));
        this.passages = Stream.concat(learned.stream(), held.stream()).map(TextPair::positive).distinct().toList();
        this.output = output;
    }

    /** Runs the program. */
    public static void main(String[] args) {
        new SearchHandbook(Path.of(args[0]), Path.of(args[1])).run(
                args.length > 2 ? args[2] : "sentence-transformers/all-MiniLM-L6-v2",
                args.length > 3 ? args[3] : "HuggingFaceTB/SmolLM2-135M-Instruct");
    }

    /** Questions with the passages that answer them. */
    private static List<TextPair> pairs(Path chats) {
        return ChatDataset.read(chats).stream()
                .map(chat -> TextPair.of(chat.messages().get(0).content(), chat.messages().get(1).content())).toList();
    }

    private static LoraConfig lora() {
        return LoraConfig.builder().rank(16).alpha(32).targetModules(TargetModules.ALL_LINEAR).build();
    }

    private void run(String encoder, String decoder) {
        ModelOptions options = ModelOptions.defaults();
        try (BaseModel embedding = BaseModel.load(encoder, options.withTask(Task.EMBEDDING));
                BaseModel ranking = BaseModel.load(encoder, options.withTask(Task.RERANKING));
                BaseModel chat = BaseModel.load(decoder)) {
            PeftModel embedder = embedding.withAdapter(lora());
            System.out.println("search before:   " + search(embedding));
            Trainer.builder(embedder).output(output.resolve("embedder")).build()
                    .train(new ContrastiveObjective(embedder), learned);
            SearchQuality found = search(embedder);
            System.out.println("search after:    " + found);

            List<TextPair> hard = new HardNegatives(embedder, NegativeOptions.defaults()).of(learned, passages).pairs();
            PeftModel reranker = ranking.withAdapter(lora());
            Trainer.builder(reranker).output(output.resolve("reranker")).build().train(new RerankingObjective(reranker,
                    RerankingObjective.Loss.BINARY), hard.stream().map(RankedQuery::of).toList());
            SearchQuality ordered = reranked(embedder, new Reranker(reranker));
            System.out.println("with reranker:   " + ordered + (ordered.mean() > found.mean() ? ""
                    : ", which is no better than the order of the embedder: leave it out"));

            PeftModel decider = chat.withAdapter(lora());
            List<DecisionRow> asked = decisions(embedder, held);
            System.out.println("decision before: " + right(chat, asked));
            Trainer.builder(decider).output(output.resolve("decider")).build()
                    .train(DecisionObjective.of(decider), decisions(embedder, learned));
            System.out.println("decision after:  " + right(decider, asked));
        }
    }

    private SearchQuality search(LanguageModel model) {
        return SearchQuality.of(model, held.stream().map(TextPair::anchor).toList(), passages,
                held.stream().mapToInt(pair -> passages.indexOf(pair.positive())).toArray());
    }

    /** The nearest passages to each question, the best first. */
    private List<List<String>> nearest(LanguageModel model, List<TextPair> pairs) {
        TextEmbedder embedder = new TextEmbedder(model);
        List<float[]> found = embedder.embed(passages);
        return embedder.embed(pairs.stream().map(TextPair::anchor).toList()).stream()
                .map(query -> IntStream.range(0, passages.size()).boxed()
                        .sorted(Comparator.comparingDouble(i -> -TextEmbedder.cosine(query, found.get(i))))
                        .map(passages::get).toList())
                .toList();
    }

    /** The search with its first passages in the reranker's order. */
    private SearchQuality reranked(LanguageModel model, Reranker reranker) {
        List<List<String>> found = nearest(model, held);
        return new SearchQuality(IntStream.range(0, held.size()).map(i -> {
            String right = held.get(i).positive();
            List<String> first = found.get(i).subList(0, FOUND);
            return first.contains(right) ? 1 + reranker.rank(held.get(i).anchor(), first).stream()
                    .map(ranked -> first.get(ranked.index())).toList().indexOf(right)
                    : 1 + found.get(i).indexOf(right);
        }).toArray());
    }

    /** Questions with passages; every other one has none that answers it. */
    private List<DecisionRow> decisions(LanguageModel model, List<TextPair> pairs) {
        List<List<String>> found = nearest(model, pairs);
        List<DecisionRow> rows = new ArrayList<>();
        for (int i = 0; i < pairs.size(); i++) {
            String right = pairs.get(i).positive();
            List<String> others = found.get(i).stream().filter(passage -> !passage.equals(right)).limit(SHOWN).toList();
            boolean answered = i % 2 == 0;
            List<String> shown = !answered ? others
                    : i % 4 == 0 ? List.of(right, others.get(0)) : List.of(others.get(0), right);
            rows.add(DecisionRow.of(TextNode.valueOf("Question: " + pairs.get(i).anchor() + "\nPassages:\n"
                    + String.join("\n", shown)), "answered", ANSWERED, String.valueOf(answered)));
        }
        return rows;
    }

    private static String right(LanguageModel model, List<DecisionRow> rows) {
        var results = new DecisionModel(model).decide(rows.stream().map(DecisionRow::request).toList());
        long right = IntStream.range(0, rows.size()).filter(i -> rows.get(i).gold().get("answered")
                .get(results.get(i).answers().get("answered").best()) > 0.5).count();
        return right + " of " + rows.size() + " right";
    }
}
