import {registry} from "@web/core/registry";

const PHOTO =
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==";

registry.category("web_tour.tours").add("helpdesk_portal_new_ticket", {
    steps: () => [
        {
            content: "from the list to the form",
            trigger: "a:contains(New ticket)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            trigger: "input[name=name]",
            run: "edit The lamp hums",
        },
        {
            content: "what it is about",
            trigger: "select[name=line_id]",
            run: "selectByLabel Lamp",
        },
        {
            trigger: "textarea[name=description]",
            run: "edit It hums at night.",
        },
        {
            content: "add a photo",
            trigger: "input[name=photos]",
            run() {
                const bytes = Uint8Array.from(atob(PHOTO), (c) => c.charCodeAt(0));
                const files = new DataTransfer();
                files.items.add(new File([bytes], "hum.png", {type: "image/png"}));
                this.anchor.files = files.files;
            },
        },
        {
            trigger: "form button[type=submit]:contains(Send)",
            run: "click",
            expectUnloadPage: true,
        },
        {
            content: "the page of the ticket says so",
            trigger: ".alert-success:contains(we have received your request)",
        },
        {
            content: "the photo is in the conversation",
            trigger: "#chatterRoot:shadow .o-mail-Message [title='hum.png']",
        },
    ],
});
