package io.peft4j.cli;

import io.peft4j.data.ChatEncoder;
import io.peft4j.data.Masking;
import io.peft4j.models.BaseModel;
import picocli.CommandLine.Option;

/** The option of what of a conversation is learned. */
@HelpGroup(HelpGroup.TRAINING)
final class LearnedOptions {
    @Option(names = "--learn", paramLabel = "assistant|last-turn|all", defaultValue = "assistant",
            description = "What is learned: assistant messages with their weights, only the last one, or every "
                    + "token. Default: ${DEFAULT-VALUE}")
    private Masking masking;

    Masking masking() {
        return masking;
    }

    /** The tokenizer and the chat template of a model. */
    ChatEncoder encoder(BaseModel base) {
        return ChatEncoder.of(base, masking);
    }
}
