import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import java.io.FileInputStream;
import java.util.Properties;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicLong;

/** Takes so many events of Debezium's engine and tells how long that took, from its start. */
public class Follow {
  public static void main(String[] arguments) throws Exception {
    Properties settings = new Properties();
    try (FileInputStream file = new FileInputStream(arguments[0])) {
      settings.load(file);
    }
    long wanted = Long.parseLong(arguments[1]);
    AtomicLong count = new AtomicLong();
    CountDownLatch done = new CountDownLatch(1);
    long begin = System.nanoTime();
    DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class)
        .using(settings)
        .notifying((events, committer) -> {
          long bytes = 0;
          for (ChangeEvent<String, String> event : events) {
            if (event.value() != null) {
              bytes += event.value().length();
              count.incrementAndGet();
            }
            committer.markProcessed(event);
          }
          committer.markBatchFinished();
          if (count.get() >= wanted) done.countDown();
        })
        .using((success, message, error) -> {
          if (!success) {
            System.err.println(message);
            System.exit(1);
          }
        })
        .build();
    ExecutorService executor = Executors.newSingleThreadExecutor();
    executor.execute(engine);
    done.await();
    double seconds = (System.nanoTime() - begin) / 1e9;
    engine.close();
    executor.shutdown();
    System.out.printf(java.util.Locale.ROOT, "{\"seconds\": %.3f, \"events\": %d}%n", seconds, count.get());
    System.exit(0);
  }
}
