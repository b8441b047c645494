package io.peft4j.examples;

import io.peft4j.core.model.Task;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.core.task.TextClassifier;
import io.peft4j.data.task.LabelledText;
import io.peft4j.data.task.TaskRows;
import io.peft4j.eval.head.TaskComparison;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.models.ModelOptions;
import io.peft4j.train.Trainer;
import io.peft4j.train.objective.ClassificationObjective;
import java.nio.file.Path;
import java.util.List;

/**
 * A classifier of tickets. Arguments: the folder with {@code train.jsonl} and {@code heldout.jsonl}, and an output
 * folder.
 */
public final class ClassifyTickets {
    private ClassifyTickets() {
    }

    /** Runs the program. */
    public static void main(String[] args) {
        List<LabelledText> heldOut = TaskRows.texts(Path.of(args[0], "heldout.jsonl"));
        ModelOptions options = ModelOptions.defaults().withTask(Task.classification("billing", "access", "delivery"));
        try (BaseModel base = BaseModel.load("sentence-transformers/all-MiniLM-L6-v2", options)) {
            PeftModel model = base.withAdapter(LoraConfig.builder().rank(8).alpha(16).build());
            Trainer.builder(model).output(Path.of(args[1])).build()
                    .train(new ClassificationObjective(model), TaskRows.texts(Path.of(args[0], "train.jsonl")));
            TextClassifier classifier = new TextClassifier(model);
            long right = heldOut.stream()
                    .filter(ticket -> ticket.labels().contains(classifier.classify(ticket.text()).label())).count();
            System.out.println(right + " of " + heldOut.size() + " held-out tickets are right");
            System.out.println(TaskComparison.of(base, model).on(heldOut).verdict());
            System.out.println(classifier.classify("You have debited my account two times!"));
        }
    }
}
