package io.peft4j.cloud.jobs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.cloud.jobs.JobCommands.Form;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Values as people and SageMaker's SDK write them. */
class OptionWordsTest {
    private static final OptionWords WORDS = new OptionWords("hyperparameter", Map.of("target-modules", Form.VALUE,
            "rank", Form.VALUE, "method", Form.VALUE, "no-shuffle", Form.FLAG, "tracker", Form.LIST), Map.of());

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '~', value = {
        "target_modules | [\"q_proj\",\"v_proj\"] | --target-modules=q_proj,v_proj",
        "target_modules | [\"q_proj\"] | --target-modules=q_proj",
        "target_modules | \"[\\\"q_proj\\\", \\\"v_proj\\\"]\" | --target-modules=q_proj,v_proj",
        "target_modules | \"q_proj,v_proj\" | --target-modules=q_proj,v_proj",
        "target_modules | q_proj,v_proj | --target-modules=q_proj,v_proj",
        "target_modules | [qv]_proj | --target-modules=[qv]_proj",
        "rank | 8 | --rank=8",
        "rank | \"8\" | --rank=8",
        "method | lora | --method=lora",
        "method | \"lora\" | --method=lora",
        "method | \"lora | --method=\"lora",
        "no_shuffle | true | --no-shuffle",
        "no_shuffle | \"true\" | --no-shuffle",
        "no_shuffle | True | --no-shuffle",
        "tracker | [\"csv\",\"wandb\"] | --tracker=csv --tracker=wandb",
        "tracker | \"csv\" | --tracker=csv"})
    void aValueIsReadPlainlyAndAsJson(String name, String value, String words) {
        assertEquals(List.of(words.split(" ")), WORDS.of(Map.of(name, value)));
    }
}
