# A container for Amazon SageMaker and Google's Vertex AI, see docs/cloud.md:
#   docker build -t peft4j .
#   docker run peft4j train | serve      as both clouds do
#   docker run peft4j generate --help    as the command line
FROM maven:3.9-eclipse-temurin-17 AS build
WORKDIR /src
COPY . .
RUN mvn -B -ntp -q -Dmaven.test.skip -pl :peft-cli,:peft-cloud -am package \
    && mkdir /lib-peft4j \
    && (cat apps/cli/target/classpath.txt; echo; cat integrations/cloud/target/classpath.txt) | tr ':' '\n' | sort -u \
      | xargs -I {} cp {} /lib-peft4j/ \
    && cp apps/cli/target/peft-cli.jar /lib-peft4j/

FROM eclipse-temurin:17-jre
COPY --from=build /lib-peft4j /opt/peft4j/lib
COPY integrations/cloud/docker/entrypoint /opt/peft4j/entrypoint
ENV LC_ALL=C.UTF-8
EXPOSE 8080
ENTRYPOINT ["/opt/peft4j/entrypoint"]
