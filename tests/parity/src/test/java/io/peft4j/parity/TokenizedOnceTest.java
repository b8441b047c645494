package io.peft4j.parity;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.peft4j.core.LogLines;
import io.peft4j.core.task.TextEncoder;
import io.peft4j.core.text.Tokenizer;
import io.peft4j.data.task.LabelledText;
import io.peft4j.models.BaseModel;
import io.peft4j.train.objective.ClassificationObjective;
import io.peft4j.train.objective.DataSetup;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Texts that a model reads to their end are tokenized once before a training. */
class TokenizedOnceTest {
    @Test
    void onlyTextsThatMayBeCutAreTokenizedAgain() {
        AtomicInteger calls = new AtomicInteger();
        try (BaseModel model = KernelsUnderTest.naive("encoders/bert-seq-cls")) {
            Tokenizer counting = (Tokenizer) Proxy.newProxyInstance(Tokenizer.class.getClassLoader(),
                    new Class<?>[] {Tokenizer.class}, (proxy, method, arguments) -> {
                        calls.addAndGet(method.getName().equals("encodeWithSpecials") ? 1 : 0);
                        try {
                            return method.invoke(model.tokenizer(), arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
            ClassificationObjective objective = new ClassificationObjective(model, new TextEncoder(counting, 8),
                    Map.of());
            DataSetup setup = new DataSetup("training", 8, 8);

            objective.encode(List.of(LabelledText.of("a", "0"), LabelledText.of("b", "1")), setup);
            assertEquals(2, calls.get());
            List<String> told = LogLines.of(() -> objective.encode(List.of(LabelledText.of("a", "0"),
                    LabelledText.of("a ".repeat(20), "1")), setup));
            assertEquals(1, told.stream().filter(line -> line.contains("1 of 2 training examples: row 2")).count(),
                    told.toString());
        }
    }
}
