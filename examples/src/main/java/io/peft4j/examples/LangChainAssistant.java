package io.peft4j.examples;

import dev.langchain4j.service.AiServices;
import io.peft4j.Peft4j;
import io.peft4j.core.peft.PeftModel;
import io.peft4j.langchain4j.PeftChatModel;
import io.peft4j.models.BaseModel;
import java.nio.file.Path;

/**
 * An adapter behind LangChain4j's AiServices. Arguments: the base model, the folder of the adapter, the question.
 */
public final class LangChainAssistant {
    private LangChainAssistant() {
    }

    /** What an application calls. */
    interface HrAssistant {
        String answer(String question);
    }

    /** Runs the program. */
    public static void main(String[] args) {
        try (BaseModel base = Peft4j.load(args[0]); PeftModel model = base.withAdapter(Path.of(args[1]))) {
            HrAssistant assistant = AiServices.create(HrAssistant.class, new PeftChatModel(model));
            System.out.println(assistant.answer(args[2]));
        }
    }
}
