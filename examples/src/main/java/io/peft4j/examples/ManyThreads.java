package io.peft4j.examples;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.data.ChatDataset;
import io.peft4j.lora.LoraConfig;
import io.peft4j.models.BaseModel;
import io.peft4j.train.Trainer;
import java.nio.file.Path;

/**
 * Two adapters of one base answer while a third one is trained. Arguments: the base, the folders of two adapters, and a
 * file of conversations.
 */
public final class ManyThreads {
    private ManyThreads() {
    }

    /** Runs the program. */
    public static void main(String[] args) throws InterruptedException {
        try (BaseModel base = BaseModel.load(args[0]);
                PeftModel model = new PeftModel(base);
                PeftModel learning = base.withAdapter(LoraConfig.builder().rank(8).build())) {
            model.loadAdapter("hr", Path.of(args[1]));
            model.loadAdapter("sales", Path.of(args[2]));
            LanguageModel hr = model.with("hr");
            LanguageModel sales = model.with("sales");
            ChatDataset handbook = ChatDataset.read(Path.of(args[3]));
            Thread training = new Thread(() -> Trainer.builder(learning).epochs(1).build().train(handbook));
            training.start();
            System.out.println(hr.generate("How much leave do I have?"));
            System.out.println(sales.generate("Who is our largest customer?"));
            training.join();
        }
    }
}
