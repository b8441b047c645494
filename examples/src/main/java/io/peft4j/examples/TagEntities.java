package io.peft4j.examples;

import static io.peft4j.core.peft.config.TargetModules.ALL_LINEAR;

import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TokenTagger;
import io.peft4j.data.task.LabelledWords;
import io.peft4j.data.task.Labels;
import io.peft4j.data.task.TaskRows;
import io.peft4j.eval.head.EntityScores;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.TokenClassificationObjective;
import java.nio.file.Path;
import java.util.List;

/** A tagger of names. Arguments: a folder with {@code train.jsonl} and {@code heldout.jsonl}, and an output folder. */
public final class TagEntities {
    private TagEntities() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        List<LabelledWords> train = TaskRows.words(Path.of(args[0], "train.jsonl"));
        List<LabelledWords> heldOut = TaskRows.words(Path.of(args[0], "heldout.jsonl"));
        Task task = Labels.ofWords(train);
        try (BaseModel base = BaseModel.load("sentence-transformers/all-MiniLM-L6-v2",
                ModelOptions.defaults().withTask(task))) {
            PeftModel model = base.withAdapter(
                    LoraConfig.builder().rank(16).alpha(32).targetModules(ALL_LINEAR).build());
            Trainer.builder(model).output(Path.of(args[1])).build()
                    .train(new TokenClassificationObjective(model), train);
            TokenTagger tagger = new TokenTagger(model);
            System.out.println(EntityScores.of(heldOut.stream().map(LabelledWords::labels).toList(),
                    tagger.tagAll(heldOut.stream().map(LabelledWords::words).toList())));
            List<String> words = List.of("Niklaus", "Wirth", "taught", "in", "Zurich", ".");
            tagger.entities(words).forEach(
                    entity -> System.out.println(entity.type() + ": " + words.subList(entity.first(), entity.end())));
        }
    }
}
