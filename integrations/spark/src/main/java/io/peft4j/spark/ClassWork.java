package io.peft4j.spark;

import io.peft4j.core.model.LanguageModel;
import io.peft4j.core.task.TextClassifier;
import java.util.List;
import scala.jdk.javaapi.CollectionConverters;

/** Classes of texts. */
final class ClassWork extends TextWork {
    private static final long serialVersionUID = 1L;

    @Override
    public List<List<Object>> results(LanguageModel model, List<String> texts) {
        return new TextClassifier(model).classify(texts).stream().map(found -> List.<Object>of(found.label(),
                CollectionConverters.asScala(found.scores()))).toList();
    }
}
