// `meesh access`: users of the object store, their keys and policies. Works on the mesh's metadata
// itself, whether the mesh runs or not; a running one sees a change within a second.
#include <fmt/format.h>
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "app/commands.h"
#include "app/language.h"
#include "app/object_service.h"
#include "app/server.h"
#include "app/sign_in_service.h"
#include "base/text.h"

namespace meesh::app {
namespace {

struct AccessOptions {
  std::string mesh = ".", data, name, second, domain, policy;
  int days = 90;
  bool remove = false;
};
using Options = std::shared_ptr<AccessOptions>;

/// The mesh's access for as long as one command needs it.
class OpenAccess {
 public:
  explicit OpenAccess(const AccessOptions& options)
      : mesh_(mesh::Mesh::load(options.mesh, {.data = options.data})),
        database_(meta::Database::open(metadata_options(started(mesh_)))),
        access_(open_access(mesh_, *database_)) {}
  access::Access* operator->() { return access_.get(); }
  std::unique_ptr<access::SignIns> sign_ins() { return open_sign_ins(mesh_, *database_, *access_); }

 private:
  static const mesh::Mesh& started(const mesh::Mesh& mesh) {
    root_keys(mesh);  // says what to do if the mesh was never started
    if (!std::filesystem::exists(mesh.data / "objects")) {
      throw Error(Code::kNotFound,
                  fmt::format("there is no data of this mesh in '{}'", mesh.data.string()))
          .with_hint("give --data, or start the mesh once");
    }
    return mesh;
  }

  const mesh::Mesh mesh_;
  const std::unique_ptr<meta::Database> database_;
  const std::unique_ptr<access::Access> access_;
};

std::string read_text(const std::string& file) {
  std::ostringstream text;
  if (file == "-") {
    text << std::cin.rdbuf();
    return text.str();
  }
  std::ifstream in(file);
  if (!in) throw Error(Code::kNotFound, fmt::format("cannot read '{}'", file));
  text << in.rdbuf();
  return text.str();
}

void print_key(const access::NewKey& key) {
  fmt::print("AWS_ACCESS_KEY_ID={}\nAWS_SECRET_ACCESS_KEY={}\n", key.access_key, key.secret_key);
}

void list_users(const AccessOptions& options) {
  OpenAccess access(options);
  for (const auto& user : access->users()) {
    fmt::print("{:<24} {:<10} {:<12} {:<32} {}\n", user.name,
               user.enabled ? say("enabled", "actif") : say("disabled", "inactif"), user.domain,
               base::join(user.policies, ", "), base::join(user.access_keys, ", "));
  }
}

/// Typed without being shown, or the first line of what is piped in; never an argument, which
/// everybody on the machine could see.
std::string ask_password() {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    fmt::print(stderr, "{} ", say("Password:", "Mot de passe :"));
  }
  std::string password;
  std::getline(std::cin, password);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    fmt::print(stderr, "\n");
  }
  return password;
}

void set_password(const AccessOptions& options) {
  OpenAccess access(options);
  if (options.remove) return access.sign_ins()->remove_password(options.name);
  access.sign_ins()->set_password(options.name, ask_password());
}

void make_token(const AccessOptions& options) {
  OpenAccess access(options);
  const auto made = access.sign_ins()->create_token(options.name, options.second,
                                                    std::chrono::days(options.days));
  fmt::print("MEESH_TOKEN={}\n", made.secret);
}

void list_tokens(const AccessOptions& options) {
  OpenAccess access(options);
  for (const auto& token : access.sign_ins()->tokens(options.name))
    fmt::print("{}  {:<24} {}\n", token.id, token.name,
               token.expires_ms == 0 ? std::string(say("does not expire", "sans fin"))
                                     : local_time(token.expires_ms));
}

void list_policies(const AccessOptions& options) {
  OpenAccess access(options);
  for (const auto& [name, document] : access->policies()) fmt::print("{}\n", name);
}

void add_user(const AccessOptions& options) {
  OpenAccess access(options);
  access->create_user(options.name, options.domain);
  if (!options.policy.empty()) access->attach_policy(options.name, options.policy, true);
  print_key(access->create_key(options.name));
}

CLI::App* add(CLI::App& parent, const Options& options, int& exit_code, const char* name,
              std::string_view help, std::function<void(const AccessOptions&)> run) {
  auto* command = parent.add_subcommand(name, std::string(help));
  command
      ->add_option("--mesh", options->mesh,
                   std::string(say("Folder with meesh.yaml", "Dossier de meesh.yaml")))
      ->capture_default_str();
  command->add_option("--data", options->data,
                      std::string(say("Data folder instead of the file's",
                                      "Dossier de données au lieu de celui du fichier")));
  command->callback([options, run = std::move(run), &exit_code] {
    run(*options);
    exit_code = 0;
  });
  return command;
}

CLI::App* with(CLI::App* command, const char* name, std::string& value) {
  command->add_option(name, value)->required();
  return command;
}

void add_users(CLI::App& parent, const Options& options, int& exit_code) {
  add(parent, options, exit_code, "ls", say("List users", "Lister les utilisateurs"), list_users);
  auto* user = with(add(parent, options, exit_code, "add",
                        say("Add a user and print its key, once",
                            "Ajouter un utilisateur et afficher sa clé, une fois"),
                        add_user),
                    "user", options->name);
  user->add_option("--domain", options->domain,
                   std::string(say("Its rights end at this domain's buckets",
                                   "Ses droits s'arrêtent aux buckets de ce domaine")));
  user->add_option("--policy", options->policy, "readwrite, readonly, writeonly, consoleAdmin, …");
  const auto on_user = [&](const char* name, std::string_view help,
                           std::function<void(access::Access&, const AccessOptions&)> run) {
    return with(add(parent, options, exit_code, name, help,
                    [run = std::move(run)](const AccessOptions& o) {
                      OpenAccess access(o);
                      run(*access.operator->(), o);
                    }),
                "user", options->name);
  };
  on_user("rm", say("Remove a user", "Supprimer un utilisateur"),
          [](access::Access& a, const AccessOptions& o) { a.delete_user(o.name); });
  on_user("enable", say("Let a user in again", "Réadmettre un utilisateur"),
          [](access::Access& a, const AccessOptions& o) { a.enable_user(o.name, true); });
  on_user("disable", say("Keep a user out", "Bloquer un utilisateur"),
          [](access::Access& a, const AccessOptions& o) { a.enable_user(o.name, false); });
  on_user("key",
          say("Make another key and print it, once", "Créer une autre clé, affichée une fois"),
          [](access::Access& a, const AccessOptions& o) { print_key(a.create_key(o.name)); });
  with(on_user("attach", say("Give a user a policy", "Attacher une politique"),
               [](access::Access& a, const AccessOptions& o) {
                 a.attach_policy(o.name, o.second, true);
               }),
       "policy", options->second);
  with(on_user("detach", say("Take a policy away", "Détacher une politique"),
               [](access::Access& a, const AccessOptions& o) {
                 a.attach_policy(o.name, o.second, false);
               }),
       "policy", options->second);
}

void add_sign_in(CLI::App& parent, const Options& options, int& exit_code) {
  auto* password =
      with(add(parent, options, exit_code, "password",
               say("Set a user's password for the console and SQL (asked for, or from stdin)",
                   "Définir le mot de passe d'un utilisateur (demandé, ou lu sur stdin)"),
               set_password),
           "user", options->name);
  password->add_flag("--remove", options->remove, std::string(say("Take it away", "Le supprimer")));
  auto* token = with(
      add(parent, options, exit_code, "token",
          say("Make an API token and print it, once", "Créer un jeton d'API, affiché une fois"),
          make_token),
      "user", options->name);
  token->add_option("--name", options->second, std::string(say("What it is for", "À quoi il sert")))
      ->default_val("cli");
  token
      ->add_option("--days", options->days,
                   std::string(say("How long it is valid; 0: without end",
                                   "Sa durée en jours ; 0 : sans fin")))
      ->capture_default_str()
      ->check(CLI::Range(0, 3650));
  with(add(parent, options, exit_code, "tokens",
           say("List a user's tokens", "Lister les jetons d'un utilisateur"), list_tokens),
       "user", options->name);
  with(with(add(parent, options, exit_code, "rm-token", say("Revoke a token", "Révoquer un jeton"),
                [](const AccessOptions& o) {
                  OpenAccess(o).sign_ins()->revoke_token(o.name, o.second);
                }),
            "user", options->name),
       "token", options->second);
}

void add_rest(CLI::App& parent, const Options& options, int& exit_code) {
  with(add(parent, options, exit_code, "rm-key", say("Remove a key", "Supprimer une clé"),
           [](const AccessOptions& o) { OpenAccess(o)->delete_key(o.name); }),
       "access_key", options->name);
  with(add(parent, options, exit_code, "domain-key",
           say("Print a domain's own key", "Afficher la clé d'un domaine"),
           [](const AccessOptions& o) { print_key(OpenAccess(o)->domain_key(o.name)); }),
       "domain", options->name);
  add(parent, options, exit_code, "policies", say("List policies", "Lister les politiques"),
      list_policies);
  with(with(add(parent, options, exit_code, "put-policy",
                say("Store a policy from a file", "Enregistrer une politique"),
                [](const AccessOptions& o) {
                  OpenAccess(o)->put_policy(o.name, read_text(o.second));
                }),
            "name", options->name),
       "file", options->second);
  with(add(parent, options, exit_code, "rm-policy",
           say("Remove a policy", "Supprimer une politique"),
           [](const AccessOptions& o) { OpenAccess(o)->delete_policy(o.name); }),
       "name", options->name);
}

}  // namespace

void add_access(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<AccessOptions>();
  auto* access =
      app.add_subcommand("access", std::string(say("Users, keys and policies of the object store",
                                                   "Utilisateurs, clés et politiques des objets")));
  access->require_subcommand(1);
  add_users(*access, options, exit_code);
  add_sign_in(*access, options, exit_code);
  add_rest(*access, options, exit_code);
  access->footer(
      "meesh access add ann --policy readonly --mesh demo\n"
      "meesh access password ann < password.txt\n"
      "meesh access put-policy reports reports.json\n"
      "meesh access attach ann reports");
}

}  // namespace meesh::app
